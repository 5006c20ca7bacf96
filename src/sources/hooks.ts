import { readFileSync } from 'node:fs';
import { z } from 'zod';

const name = z.string().min(1);
const number = z.number().int().nonnegative();
/** A socket by the arguments of security_socket_create, or an egress row by channel and port; what is left out is any. */
const touch = z.union([
  z.strictObject({ family: number, type: number.optional(), protocol: number.optional() }),
  z.strictObject({ egress: name, port: number.optional() }),
]);
/** One hook, several of which one is enough, or one that must be loaded more than once. */
const slot = z.union([
  name.transform((hook) => ({ hooks: [hook], copies: 1 })),
  z
    .array(name)
    .min(2)
    .transform((hooks) => ({ hooks, copies: 1 })),
  z.strictObject({ hook: name, copies: number.min(2) }).transform(({ hook, copies }) => ({ hooks: [hook], copies })),
]);

const schema = z.strictObject({
  channels: z.array(
    z.strictObject({
      channel: name,
      closes: name,
      required: z.array(slot).default([]),
      gate: z.array(slot).default([]),
      optional: z.array(slot).default([]),
      touch: z.array(touch).default([]),
    }),
  ),
  blindSpots: z.array(z.strictObject({ channel: name, detail: name, touch: z.array(touch).default([]) })),
});

/** A channel that no hook closes. With `judged` a task that touched it gets a doubt; the others are only printed. */
export interface BlindSpot {
  readonly channel: string;
  readonly detail: string;
  readonly judged: boolean;
}

type Cell = string | number | null;

/** Content of queries/hooks.json as rows in column order of the tables of the same names. */
export interface Hooks {
  readonly requiredHook: readonly (readonly [
    channel: string,
    hook: string,
    role: string,
    slot: number,
    copies: number,
  ])[];
  readonly channelTouch: readonly (readonly Cell[])[];
  readonly blindSpot: readonly (readonly [channel: string, detail: string])[];
  readonly blindSpots: readonly BlindSpot[];
}

export function parseHooks(text: string): Hooks {
  const { channels, blindSpots } = schema.parse(JSON.parse(text));
  return {
    requiredHook: channels.flatMap(({ channel, required, gate, optional }) =>
      [
        ...gate.map((each) => ({ role: 'gate', ...each })),
        ...required.map((each) => ({ role: 'required', ...each })),
        ...optional.map((each) => ({ role: 'optional', ...each })),
      ].flatMap(({ role, hooks, copies }, index) => hooks.map((hook) => [channel, hook, role, index, copies] as const)),
    ),
    channelTouch: [...channels, ...blindSpots].flatMap(({ channel, touch: touches }) =>
      touches.map((t) =>
        'family' in t
          ? [channel, t.family, t.type ?? null, t.protocol ?? null, null, null]
          : [channel, null, null, null, t.egress, t.port ?? null],
      ),
    ),
    blindSpot: blindSpots.map(({ channel, detail }) => [channel, detail] as const),
    blindSpots: blindSpots.map(({ channel, detail, touch: touches }) => ({
      channel,
      detail,
      judged: touches.length > 0,
    })),
  };
}

/** Reads the map of channels, hooks and blind spots that is shipped with the queries. */
export function readHooks(): Hooks {
  return parseHooks(readFileSync(new URL('../../queries/hooks.json', import.meta.url), 'utf8'));
}
