import { type CloudTrailObject, parseObject } from './cloudtrail-object.ts';

/** What an API answered, in the form of the file that `--cloudtrail` reads. */
export function toConfigObject(object: 'public-keys.json' | 'trails.json', content: object): CloudTrailObject {
  const bytes = Buffer.from(JSON.stringify(content));
  const [item] = parseObject({ object, bytes, metadata: {}, limit: Infinity });
  if (item?.kind !== 'object' || item.stream !== 'cloudtrail-config') throw new Error(`${object} has no known form`);
  return item;
}
