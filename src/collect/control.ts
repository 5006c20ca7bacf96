import type { Logger } from 'pino';
import { z } from 'zod';
import type { Store } from '../evidence/store.ts';
import { TallyError } from '../model/errors.ts';
import { DeclarationConflict, type DeclarationBook, type Submission } from './declarations.ts';
import type { Answer, Handler, Request } from './http-server.ts';
import type { Metrics } from './metrics.ts';

export interface ControlOptions {
  readonly book: DeclarationBook;
  readonly store: Store;
  readonly metrics: Metrics;
  /** Asks every source how it is, and makes canaries: what is sealed then reaches up to now. */
  readonly boundary: () => Promise<void>;
  /** What keeps the collector from being ready; empty when nothing does. */
  readonly ready: () => readonly string[];
  /** Brings the metrics up to date. */
  readonly measure: () => void;
  readonly log: Logger;
}

/** The collector's HTTP interface, the same on its control socket and where `collector.listen` says (docs/collector.md). */
export function controlHandler(options: ControlOptions): Handler {
  const { book, store, metrics, boundary, ready, measure, log } = options;
  const routes: Readonly<Record<string, (request: Request) => Promise<Answer>>> = {
    'GET /healthz': () => Promise.resolve({ status: 200, json: { alive: true } }),
    'GET /readyz': () => {
      const lacks = [
        ...ready(),
        ...store
          .stats()
          .logs.flatMap(({ broken, stream, origin }) =>
            broken === undefined ? [] : [`${stream}/${origin}: ${broken}`],
          ),
      ];
      return Promise.resolve({ status: lacks.length === 0 ? 200 : 503, json: { ready: lacks.length === 0, lacks } });
    },
    'GET /metrics': async () => {
      measure();
      const body = await metrics.registry.metrics();
      return { status: 200, text: { type: metrics.registry.contentType, body } };
    },
    'GET /v1/tasks': () =>
      Promise.resolve({ status: 200, json: [...book.tasks].map(([task, { declared }]) => ({ task, declared })) }),
    'POST /v1/declarations': async (request) => {
      const recorded = await book.record(parseSubmission(request));
      log.info({ task: recorded.task, declared: recorded.declared, already: recorded.already }, 'declared');
      void boundary().catch(() => undefined); // how the sources were just before the task
      return { status: recorded.already ? 200 : 201, json: recorded };
    },
    'POST /v1/seal': async () => {
      await boundary();
      return { status: 200, json: { segments: await store.seal() } };
    },
  };
  return async (request) => {
    const route = routes[`${request.method} ${request.path}`];
    if (route === undefined) {
      const paths = Object.keys(routes).join(', ');
      return { status: 404, json: { error: `there is no ${request.method} ${request.path}; there are: ${paths}` } };
    }
    try {
      return await route(request);
    } catch (error) {
      if (error instanceof DeclarationConflict) return { status: 409, json: { error: error.message } };
      if (!(error instanceof TallyError)) log.error({ err: error, path: request.path }, 'request failed');
      throw error;
    }
  };
}

const json = z.strictObject({
  declaration: z.string(),
  policies: z.array(z.string()).default([]),
  late: z.boolean().default(false),
  name: z.string().default('as sent'),
});

/** YAML alone, or JSON {declaration, policies, late} where granted policies come with it. */
function parseSubmission({ type, body, query }: Request): Submission {
  const late = query.get('late') === 'true';
  if (!/^application\/json\b/i.test(type)) return { declaration: body, policies: [], late, name: 'as sent' };
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw new TallyError(
      'input',
      'the body is not JSON; send {"declaration": "…", "policies": ["…"]}, or YAML as application/yaml',
      {
        cause,
      },
    );
  }
  const parsed = json.safeParse(value);
  if (!parsed.success)
    throw new TallyError('input', 'the body is not {"declaration": text, "policies"?: [text], "late"?: true}');
  return { ...parsed.data, late: late || parsed.data.late };
}
