-- Events as the tables need them: one row is one event, once, whether it came as an export line, as a frame, or as both.
SELECT
  node, time, kind, hook, exec_id, pid, tid, netns,
  s_family, s_type, s_protocol, s_saddr, s_sport, s_daddr, s_dport, s_cookie, s_state,
  a_family, a_addr, a_port, path,
  k_saddr, k_sport, k_daddr, k_dport, k_protocol,
  r_saddr, r_sport, r_daddr, r_dport, r_cookie, r_int,
  i0, i1, i2, i3, i4, text0, bytes, arg_error, status, signal, evidence
FROM tetragon_event
-- The way in is the only difference between copies; nanoseconds and thread keep true repeats apart.
QUALIFY row_number() OVER (
  -- of the bytes the length alone: a secret in them is masked in a frame, but not in the base64 of a line
  PARTITION BY node, time_ns, kind, hook, exec_id, tid, s_cookie, a_addr, a_port, i0, i1, length(bytes), (i2 IS NULL), r_cookie
  ORDER BY evidence
) = 1
