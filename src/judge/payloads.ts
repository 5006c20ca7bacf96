import { toAddress } from '../model/address.ts';
import type { Database, Parameter, Row } from '../query/database.ts';
import { parseDnsMessage, resolvedAddresses } from '../sources/dns-message.ts';
import { parseClientHello } from '../sources/tls-client-hello.ts';

/** The task's nodes, and those that providers can't tell from them: another tree's names tell what its connections were. */
const watchedNodes = `e.node IN (
        SELECT node FROM process WHERE task_id IS NOT NULL
        UNION
        SELECT other.name FROM setting AS own
        JOIN setting AS other ON other.kind = 'node-egress'
          AND split_part(other.value, '-', 1) <= split_part(own.value, '-', 2)
          AND split_part(other.value, '-', 2) >= split_part(own.value, '-', 1)
        WHERE own.kind = 'node-egress' AND own.name IN (SELECT node FROM process WHERE task_id IS NOT NULL))`;

/** Datagrams with payload that may be DNS. */
export const dnsPayloads = `
    SELECT e.node, e.exec_id, p.task_id, CAST(e.time AS VARCHAR) AS time, e.hook, e.bytes, e.evidence,
      CASE WHEN e.hook = 'skb_consume_udp' THEN e.k_saddr WHEN e.a_addr IS NOT NULL THEN e.a_addr ELSE e.s_daddr END AS server,
      CASE WHEN e.hook = 'skb_consume_udp' THEN e.k_sport WHEN e.a_addr IS NOT NULL THEN e.a_port ELSE e.s_dport END AS server_port,
      CASE WHEN e.hook = 'skb_consume_udp' THEN e.k_dport ELSE e.s_sport END AS local_port
    FROM kernel_event AS e
    LEFT JOIN process AS p ON p.node = e.node AND p.exec_id = e.exec_id
    WHERE e.bytes IS NOT NULL AND e.hook IN ('udp_sendmsg', 'udpv6_sendmsg', 'skb_consume_udp')
      AND ${watchedNodes}
    ORDER BY e.evidence`;

/** Data sent over TCP that may be a ClientHello. */
export const helloPayloads = `
    SELECT e.node, e.exec_id, CAST(e.time AS VARCHAR) AS time, e.s_cookie, e.s_sport, e.s_daddr, e.s_dport, e.bytes,
      e.evidence
    FROM kernel_event AS e
    WHERE e.bytes IS NOT NULL AND e.hook IN ('tcp_sendmsg', 'tcp_sendmsg_locked')
      AND ${watchedNodes}
    ORDER BY e.evidence`;

/** Decodes the few events that carry payload into tables dns_message and tls_hello: those of every process on the nodes. */
export async function insertPayloads(database: Database): Promise<void> {
  await database.insert('dns_message', (await database.all(dnsPayloads)).flatMap(toDnsRows));
  await database.insert('tls_hello', (await database.all(helloPayloads)).flatMap(toHelloRows));
}

/** Rows of table dns_message. */
export function toDnsRows(row: Row): Parameter[][] {
  const answering = row['hook'] === 'skb_consume_udp';
  const message = parseDnsMessage(Buffer.from(String(row['bytes']), 'base64'));
  const head = [row['node'] ?? null, row['exec_id'] ?? null, row['task_id'] ?? null, row['time'] ?? null];
  const far = [row['server'] ?? null, row['server_port'] ?? null, row['local_port'] ?? null];
  const evidence = row['evidence'] ?? null;
  const question = message.kind === 'broken' ? undefined : message.questions[0];
  const wanted = answering ? 'answer' : 'query';
  // A query with more in it than its question carries data past the check of the name.
  const extra =
    message.kind === 'query' &&
    (message.trailingBytes > 0 ||
      message.otherRecords > 0 ||
      message.answers.length > 0 ||
      (question !== undefined && question.class !== 'IN'));
  if (message.kind !== wanted || question === undefined || message.questions.length !== 1 || extra) {
    return [[...head, `broken-${wanted}`, ...far, null, null, null, null, null, evidence]];
  }
  const line = (address: string | null, ttl: number | null): Parameter[] => [
    ...head,
    wanted,
    ...far,
    message.id,
    question.name,
    question.type,
    address,
    ttl,
    evidence,
  ];
  const addresses = answering ? resolvedAddresses(message, question.name) : [];
  if (addresses.length === 0) return [line(null, null)];
  return addresses.map(({ address, ttl }) => line(toAddress(address) ?? address, ttl));
}

/** Rows of table tls_hello. */
export function toHelloRows(row: Row): Parameter[][] {
  const hello = parseClientHello(Buffer.from(String(row['bytes']), 'base64'));
  if (hello.kind === 'not-hello') return [];
  const state = hello.kind === 'partial' ? 'partial' : hello.encrypted ? 'encrypted' : 'whole';
  return [
    [
      row['node'] ?? null,
      row['exec_id'] ?? null,
      row['time'] ?? null,
      row['s_cookie'] ?? null,
      row['s_sport'] ?? 0,
      row['s_daddr'] ?? null,
      row['s_dport'] ?? 0,
      hello.serverName ?? null,
      state,
      row['evidence'] ?? null,
    ],
  ];
}
