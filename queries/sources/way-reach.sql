-- Up to when did events come by each way in? One row is one way of one node.
SELECT node, CASE WHEN starts_with(evidence, 'tetragon-grpc/') THEN 'grpc' ELSE 'export' END AS way, max(time) AS until
FROM tetragon_event
GROUP BY ALL
