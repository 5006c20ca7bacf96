-- Channels that no hook closes, and whether the task touched one. One row is one blind spot.
SELECT b.channel, b.detail,
  EXISTS (
    SELECT 1 FROM claim_finding AS f WHERE f.code = 'blind-spot' AND f.detail LIKE b.channel || ':%'
  ) AS touched
FROM blind_spot AS b ORDER BY b.channel, b.detail
