-- Where the task went. One row is one endpoint by one channel.
SELECT endpoint, channel, count(*) AS connections, bool_and(declared OR inside) AS declared,
  CASE WHEN bool_and(inside) THEN 'inside' ELSE max(basis) END AS basis,
  CAST(to_json(list_sort(list(DISTINCT remote_address) FILTER (WHERE remote_address IS NOT NULL))) AS VARCHAR) AS addresses,
  strftime(min(opened), '%Y-%m-%dT%H:%M:%S.%fZ') AS first, strftime(max(opened), '%Y-%m-%dT%H:%M:%S.%fZ') AS last
FROM egress WHERE task_id IS NOT NULL
GROUP BY endpoint, channel
ORDER BY min(opened), endpoint, channel
