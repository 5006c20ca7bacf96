import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const root = new protobuf.Root();
root.resolvePath = (_origin, target) =>
  target.startsWith('google/') ? target : fileURLToPath(new URL(`../../proto/${target}`, import.meta.url));
root.loadSync('tetragon/events.proto', { keepCase: true });
root.resolveAll();
const response = root.lookupType('tetragon.GetEventsResponse');

/** The frame (GetEventsResponse) that the sensor would have sent for a line of its export, as far as our proto/ goes. */
export function toFrame(line: string): Uint8Array {
  const message = toMessage(response, JSON.parse(line) as Json);
  return response.encode(response.fromObject(message)).finish();
}

type Json = Readonly<Record<string, unknown>>;

function toMessage(type: protobuf.Type, value: unknown): Record<string, unknown> {
  if (type.fullName === '.google.protobuf.Timestamp') return toTimestamp(String(value));
  if (/^\.google\.protobuf\.(UInt32|Bool)Value$/.test(type.fullName)) return { value };
  const message: Record<string, unknown> = {};
  for (const [name, content] of Object.entries(value as Json)) {
    const field = type.fields[name];
    if (field === undefined) continue;
    const inner = field.resolvedType;
    if (!(inner instanceof protobuf.Type)) message[name] = content;
    else if (field.repeated) message[name] = (content as unknown[]).map((item) => toMessage(inner, item));
    else message[name] = toMessage(inner, content);
  }
  return message;
}

function toTimestamp(time: string): { seconds: number; nanos: number } {
  const fraction = /\.(\d+)Z$/.exec(time)?.[1] ?? '';
  return { seconds: Math.floor(Date.parse(time) / 1000), nanos: Number(fraction.padEnd(9, '0')) };
}
