-- Do image digest, commit and run in the evidence equal the declared ones? One row is one that differs, or that no evidence
-- speaks of: told as self-reported, a doubt only where the declaration lists it under require.
WITH image AS (
  SELECT p.node, p.container, coalesce(p.image_id, '') AS image_id, coalesce(p.image, '') AS image_name, min(p.evidence) AS evidence
  FROM process AS p
  WHERE p.task_id IS NOT NULL AND (p.image_id LIKE '%sha256:%' OR p.image LIKE '%@sha256:%')
  GROUP BY p.node, p.container, p.image_id, p.image
),
required AS (SELECT value AS name FROM setting WHERE kind = 'require')
SELECT 'image-mismatch' AS code, 'counterexample' AS kind, coalesce(i.container, i.node) AS subject,
  'The container ran ' || i.image_name || ' ' || i.image_id || ', declared is ' || t.image || '.' AS detail,
  CAST(NULL AS TIMESTAMP) AS from_time, CAST(NULL AS TIMESTAMP) AS until_time, i.evidence AS evidence
FROM task AS t JOIN image AS i ON t.image IS NOT NULL
  AND i.image_id NOT LIKE '%' || t.image AND i.image_name NOT LIKE '%' || t.image
UNION ALL
SELECT 'context-missing', CASE WHEN EXISTS (SELECT 1 FROM required WHERE name = c.name) THEN 'doubt' ELSE 'note' END, c.name,
  'No evidence speaks of the ' || c.name || ': what the declaration says of it is self-reported.',
  CAST(NULL AS TIMESTAMP), CAST(NULL AS TIMESTAMP), t.evidence
FROM task AS t
JOIN (SELECT value AS name FROM setting WHERE kind IN ('context', 'require') GROUP BY value) AS c ON true
WHERE NOT (c.name = 'image' AND EXISTS (SELECT 1 FROM image)
  -- every container of the task must have told its digest
  AND NOT EXISTS (
    SELECT 1 FROM process AS p WHERE p.task_id IS NOT NULL AND p.container IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM image AS i WHERE i.node = p.node AND i.container = p.container)
  ))
