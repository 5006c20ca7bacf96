-- The part of an export line that tables need, as a structure for from_json (facts/tetragon.md, Messages and JSON):
-- first what every kind of event looks like, then the line with one member for each kind.
SET VARIABLE tetragon_event = '{"process":{"exec_id":"VARCHAR","pid":"BIGINT","tid":"BIGINT","uid":"BIGINT","cwd":"VARCHAR","binary":"VARCHAR",
      "arguments":"VARCHAR","flags":"VARCHAR","start_time":"VARCHAR","parent_exec_id":"VARCHAR","docker":"VARCHAR",
      "in_init_tree":"BOOLEAN","ns":{"net":{"inum":"BIGINT"}},
      "pod":{"namespace":"VARCHAR","name":"VARCHAR","pod_labels":"JSON",
             "container":{"id":"VARCHAR","image":{"id":"VARCHAR","name":"VARCHAR"}}},
      "environment_variables":[{"Key":"VARCHAR","Value":"VARCHAR"}]},
    "parent":{"exec_id":"VARCHAR","pid":"BIGINT","tid":"BIGINT","uid":"BIGINT","cwd":"VARCHAR","binary":"VARCHAR",
      "arguments":"VARCHAR","flags":"VARCHAR","start_time":"VARCHAR","parent_exec_id":"VARCHAR","docker":"VARCHAR",
      "in_init_tree":"BOOLEAN","ns":{"net":{"inum":"BIGINT"}},
      "pod":{"namespace":"VARCHAR","name":"VARCHAR","pod_labels":"JSON",
             "container":{"id":"VARCHAR","image":{"id":"VARCHAR","name":"VARCHAR"}}},
      "environment_variables":[{"Key":"VARCHAR","Value":"VARCHAR"}]},
    "function_name":"VARCHAR","subsys":"VARCHAR","event":"VARCHAR","symbol":"VARCHAR","type":"VARCHAR",
    "args":[{"string_arg":"VARCHAR","int_arg":"BIGINT","uint_arg":"BIGINT","long_arg":"BIGINT","size_arg":"VARCHAR","bytes_arg":"VARCHAR",
        "truncated_bytes_arg":{"bytes_arg":"VARCHAR"},
        "skb_arg":{"saddr":"VARCHAR","daddr":"VARCHAR","sport":"BIGINT","dport":"BIGINT","protocol":"VARCHAR"},
        "sock_arg":{"family":"VARCHAR","type":"VARCHAR","protocol":"VARCHAR","saddr":"VARCHAR","daddr":"VARCHAR","sport":"BIGINT","dport":"BIGINT","cookie":"VARCHAR","state":"VARCHAR"},
        "sockaddr_arg":{"family":"VARCHAR","addr":"VARCHAR","port":"BIGINT"},"sockaddrun_arg":{"family":"VARCHAR","path":"VARCHAR"},
        "error_arg":{"message":"VARCHAR"}}],
    "return":{"int_arg":"BIGINT","sock_arg":{"family":"VARCHAR","type":"VARCHAR","protocol":"VARCHAR","saddr":"VARCHAR","daddr":"VARCHAR","sport":"BIGINT","dport":"BIGINT","cookie":"VARCHAR","state":"VARCHAR"}},
    "status":"BIGINT","signal":"VARCHAR"}';
SET VARIABLE tetragon_line = '{"time":"VARCHAR","node_name":"VARCHAR","rate_limit_info":{"number_of_dropped_process_events":"VARCHAR"},'
  || '"process_exec":' || getvariable('tetragon_event') || ','
  || '"process_exit":' || getvariable('tetragon_event') || ','
  || '"process_kprobe":' || getvariable('tetragon_event') || ','
  || '"process_tracepoint":' || getvariable('tetragon_event') || ','
  || '"process_uprobe":' || getvariable('tetragon_event') || ','
  || '"process_lsm":' || getvariable('tetragon_event') || ','
  || '"process_usdt":' || getvariable('tetragon_event') || ','
  || '"process_loader":' || getvariable('tetragon_event') || ','
  || '"process_throttle":' || getvariable('tetragon_event') || '}';
