import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../../queries/', import.meta.url);

/** Text of one file under queries/, named without its `.sql`. */
export function readQuery(name: string): string {
  return readFileSync(new URL(`${name}.sql`, folder), 'utf8');
}

export function tableQueries(): string[] {
  return listFolder('tables/').map((file) => file.replace(/\.sql$/, ''));
}

/** Every file under queries/ with its digest: what judged, named in the manifest. */
export function queryDigests(): { path: string; sha256: string }[] {
  const files = ['', 'tables/', 'sources/', 'claims/', 'report/'].flatMap((part) =>
    listFolder(part).map((file) => part + file),
  );
  return files.sort().map((path) => ({
    path: `queries/${path}`,
    sha256: createHash('sha256')
      .update(readFileSync(new URL(path, folder)))
      .digest('hex'),
  }));
}

function listFolder(part: string): string[] {
  return readdirSync(new URL(part, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}
