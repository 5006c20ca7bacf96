-- The task's credential sessions with what was used of them. One row is one session.
SELECT s.depth, s.provider, s.key, s.name, s.declared, s.role, strftime(s.issued, '%Y-%m-%dT%H:%M:%S.%fZ') AS issued, strftime(s.expires, '%Y-%m-%dT%H:%M:%S.%fZ') AS expires, s.issued_by, s.parent_key,
  count(u.event_id) AS uses, count(u.event_id) FILTER (WHERE u.outcome = 'denied') AS denied,
  CAST(to_json(list_sort(list(DISTINCT u.action) FILTER (WHERE u.action IS NOT NULL))) AS VARCHAR) AS actions,
  strftime(min(u.time), '%Y-%m-%dT%H:%M:%S.%fZ') AS first_use, strftime(max(u.time), '%Y-%m-%dT%H:%M:%S.%fZ') AS last_use,
  (SELECT CAST(to_json(list_sort(list(DISTINCT pattern))) AS VARCHAR) FROM declared_action WHERE source = 'granted' AND effect = 'allow') AS granted,
  min(s.account) AS account, min(s.request_id) AS request_id, min(s.evidence) FILTER (WHERE NOT starts_with(s.evidence, 'tally/')) AS evidence
FROM session AS s
LEFT JOIN "use" AS u ON u.key = s.key AND u.provider = s.provider
GROUP BY ALL
ORDER BY s.depth, issued, s.name, s.key
