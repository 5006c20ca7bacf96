-- Stretches in which records may be missing. One row is one gap.
SELECT stream, origin, strftime(from_time, '%Y-%m-%dT%H:%M:%S.%fZ') AS "from", strftime(until, '%Y-%m-%dT%H:%M:%S.%fZ') AS until, why || ': ' || detail AS why, sum(count) AS count
FROM gap GROUP BY ALL ORDER BY ALL
