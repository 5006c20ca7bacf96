-- Tetragon's export lines (facts/tetragon.md, JSON) as flat events: one row is one event with the process and the parent
-- it names. Events are told apart by hook and kind of argument, never by policy name: whoever loads the policies names them.
-- A record is parsed once; fields that no table needs (capabilities, credentials, ancestors) are skipped.
WITH line AS NOT MATERIALIZED (
  -- what is no JSON tells nothing (tetragon-broken.sql); unnest keeps the parse from being repeated for every field that is read from it
  SELECT evidence, unnest([TRY(from_json(raw, getvariable('tetragon_line')))]) AS j
  FROM record
  WHERE stream IN ('tetragon', 'tetragon-grpc')
),
event AS NOT MATERIALIZED (
  SELECT
    evidence,
    coalesce(nullif(j.node_name, ''), 'unknown') AS node,
    try_cast(j.time AS TIMESTAMP_NS) AS happened,
    CASE WHEN j.process_kprobe IS NOT NULL THEN 'kprobe' WHEN j.process_exec IS NOT NULL THEN 'exec'
         WHEN j.process_exit IS NOT NULL THEN 'exit' WHEN j.process_tracepoint IS NOT NULL THEN 'tracepoint'
         WHEN j.process_uprobe IS NOT NULL THEN 'uprobe' WHEN j.process_lsm IS NOT NULL THEN 'lsm'
         WHEN j.process_usdt IS NOT NULL THEN 'usdt' WHEN j.process_loader IS NOT NULL THEN 'loader'
         WHEN j.process_throttle IS NOT NULL THEN 'throttle' WHEN j.rate_limit_info IS NOT NULL THEN 'rate_limit_info'
    END AS kind,
    coalesce(j.process_kprobe, j.process_exec, j.process_exit, j.process_tracepoint, j.process_uprobe, j.process_lsm,
             j.process_usdt, j.process_loader, j.process_throttle) AS e
  FROM line
),
argument AS NOT MATERIALIZED (
  SELECT
    *,
    e.args AS args,
    list_filter(e.args, lambda a: a.sock_arg IS NOT NULL)[1].sock_arg AS s,
    list_filter(e.args, lambda a: a.sockaddr_arg IS NOT NULL)[1].sockaddr_arg AS a,
    list_filter(e.args, lambda a: a.skb_arg IS NOT NULL)[1].skb_arg AS k,
    e."return".sock_arg AS r
  FROM event
)
SELECT
  node,
  CAST(happened AS TIMESTAMP) AS time,
  epoch_ns(happened) AS time_ns,
  kind,
  coalesce(e.function_name, e.symbol, e.subsys || '/' || e.event, e.type) AS hook,
  nullif(e.process.exec_id, '') AS exec_id,
  e.process.pid AS pid,
  coalesce(e.process.tid, e.process.pid) AS tid,
  e.process.ns.net.inum AS netns,
  s.family AS s_family, s.type AS s_type, s.protocol AS s_protocol,
  plain_address(s.saddr) AS s_saddr, coalesce(s.sport, 0) AS s_sport,
  plain_address(s.daddr) AS s_daddr, coalesce(s.dport, 0) AS s_dport,
  s.cookie AS s_cookie, s.state AS s_state,
  a.family AS a_family, plain_address(a.addr) AS a_addr, coalesce(a.port, 0) AS a_port,
  CASE WHEN list_filter(args, lambda x: x.sockaddrun_arg IS NOT NULL)[1] IS NULL THEN NULL
       ELSE coalesce(list_filter(args, lambda x: x.sockaddrun_arg IS NOT NULL)[1].sockaddrun_arg.path, '') END AS path,
  plain_address(k.saddr) AS k_saddr, coalesce(k.sport, 0) AS k_sport,
  plain_address(k.daddr) AS k_daddr, coalesce(k.dport, 0) AS k_dport, k.protocol AS k_protocol,
  plain_address(r.saddr) AS r_saddr, coalesce(r.sport, 0) AS r_sport,
  plain_address(r.daddr) AS r_daddr, coalesce(r.dport, 0) AS r_dport, r.cookie AS r_cookie,
  e."return".int_arg AS r_int,
  argument_integer(args[1]) AS i0, argument_integer(args[2]) AS i1, argument_integer(args[3]) AS i2,
  argument_integer(args[4]) AS i3, argument_integer(args[5]) AS i4,
  list_filter(args, lambda x: x.string_arg IS NOT NULL)[1].string_arg AS text0,
  coalesce(list_filter(args, lambda x: x.bytes_arg IS NOT NULL)[-1].bytes_arg,
           list_filter(args, lambda x: x.truncated_bytes_arg IS NOT NULL)[-1].truncated_bytes_arg.bytes_arg) AS bytes,
  list_filter(args, lambda x: x.error_arg IS NOT NULL)[1].error_arg.message AS arg_error,
  e.status AS status,
  e.signal AS signal,
  evidence,
  e.process AS process,
  e.parent AS parent
FROM argument
