import { spawnSync } from 'node:child_process';

export interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
}

const script = `
import json, sys
from xml.etree import ElementTree
def tree(e): return {"tag": e.tag, "attributes": dict(e.attrib), "children": [tree(c) for c in e]}
print(json.dumps([tree(ElementTree.fromstring(bytes.fromhex(text))) for text in json.load(sys.stdin)]))
`;

/** Reads documents with a strict parser (expat, by Python); throws what it says of one that is not well-formed. */
export function parseXml(documents: readonly string[]): Element[] {
  const input = JSON.stringify(documents.map((text) => Buffer.from(text).toString('hex')));
  const { status, stdout, stderr } = spawnSync('python3', ['-c', script], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Element[];
}
