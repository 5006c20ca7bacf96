import type { KeyObject } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import { ledgerKey, maskKey } from '../attest/keys.ts';
import type { WayIn } from '../evidence/record-log.ts';
import { openStore, type Store } from '../evidence/store.ts';
import { ledgerOrigin } from '../judge/audit-task.ts';
import { hasEgress } from '../judge/has-egress.ts';
import { TallyError } from '../model/errors.ts';
import { toTime, wallClock } from '../sources/sensor-line.ts';
import { cleanEnd, tellBrokenStreams } from './clean-end.ts';
import { keepConfig } from './config-record.ts';
import { controlHandler } from './control.ts';
import { controlSocket } from './control-client.ts';
import { openBook } from './declarations.ts';
import { readDeclared } from './declared-tasks.ts';
import { type Handler, type HttpServer, openHttp } from './http-server.ts';
import { judgeLoop } from './judge-loop.ts';
import { countVerdicts, measureStore, type Metrics, openMetrics } from './metrics.ts';
import { openNodes } from './nodes.ts';
import { noTelemetry, openOwnTelemetry, type OwnTelemetry } from './own-telemetry.ts';
import { readSubmission } from './read-submission.ts';
import { openSealWorker } from './seal-worker.ts';
import type { Settings } from './settings.ts';
import { type Steps, watchBook, watchSealer } from './steps.ts';
import { own } from '../telemetry/names.ts';
import { runCommand, whyOf } from './child-command.ts';
import { type TraceLoop, traceLoop } from './trace-loop.ts';
import { noTrails, openTrails } from './trails.ts';
import { watchFolder } from './watch-folder.ts';

export interface CollectorOptions {
  readonly settings: Settings;
  readonly privateKey: KeyObject;
  /** Arguments that give `tally report` the same key and signing services; the environment may give them too. */
  readonly keyArguments: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly log: Logger;
}

/**
 * Runs until the signal aborts: ways in, declarations, sealing, judging, its own health. What can be retried is; it throws
 * only for a mistake of the operator, and then nothing is left half open. At the end all that was kept is sealed.
 */
export async function runCollector(options: CollectorOptions, signal: AbortSignal): Promise<void> {
  const { settings, privateKey, env, version, log } = options;
  const path = settings.store.path;
  await mkdir(path, { recursive: true, mode: 0o700 });
  const metrics = openMetrics();
  const telemetry =
    settings.telemetry === undefined
      ? noTelemetry
      : await openOwnTelemetry({ settings: settings.telemetry, store: path, version, env, metrics, log });
  const broken = await tellBrokenStreams(path, settings.sources.tetragon);
  const store = await openStore(path, {
    signer: { origin: settings.config.attest?.origin ?? ledgerOrigin, privateKey: ledgerKey(privateKey) },
    maskKey: maskKey(privateKey),
    sealBytes: settings.store.sealBytes,
    sealAge: settings.store.sealAge,
    memory: settings.store.memory,
    openSealer: watchSealer(openSealWorker, telemetry.steps),
    onProblem: (error) => log.error({ err: error }, 'the store'),
  });
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  let endsWell = false;
  try {
    await broken(store);
    await keepConfig(store, path, settings.text);
    await runWays(options, store, metrics, telemetry, stop);
    endsWell = true;
  } finally {
    signal.removeEventListener('abort', abort);
    stop.abort();
    log.info('sealing what was kept');
    await store.close();
    // before anything that a backend could hold up: who is killed meanwhile has lost nothing
    if (endsWell) await cleanEnd(path);
    await telemetry.close();
  }
  log.info('stopped');
}

async function runWays(
  { settings, privateKey, keyArguments, env, log }: CollectorOptions,
  store: Store,
  metrics: Metrics,
  telemetry: OwnTelemetry,
  stop: AbortController,
): Promise<void> {
  const { collector, sources } = settings;
  const path = settings.store.path;
  const nodes = await openNodes(settings, store, metrics, log);
  const trails =
    sources.cloudtrail.length === 0
      ? noTrails
      : openTrails(sources.cloudtrail, store, path, maskKey(privateKey), metrics, log);
  const book = watchBook(
    openBook(
      store,
      await readDeclared(path),
      async (declaration) => {
        await store.seal();
        const since =
          collector.lookback === undefined ? 0n : wallClock() - BigInt(Math.round(collector.lookback * 1e9));
        return hasEgress(path, declaration, toTime(since));
      },
      wallClock,
    ),
    telemetry.steps,
  );
  const traces = openTraces(settings, env, () => book.tasks.keys(), metrics, telemetry.steps, log);
  const measure = (): void => {
    nodes.measure();
    trails.measure();
    measureStore(metrics, store);
  };
  const count = countVerdicts(metrics);
  const folder = collector.declarations;
  const ways: WayIn[] = [
    ...nodes.ways,
    ...trails.ways,
    ...(folder === undefined
      ? []
      : [
          watchFolder(
            folder,
            async (file) => {
              const { task, already } = await book.record(await readSubmission(file, false));
              if (!already) log.info({ task, file }, 'declared');
            },
            (file, error) => log.error({ file, err: error }, 'declaration not taken'),
          ),
        ]),
    judgeLoop({
      store: path,
      key: keyArguments,
      env,
      interval: collector.judge,
      tasks: () => book.tasks,
      seal: () => store.seal(),
      judged: (task, { verdict, state, final }) => {
        count(task, verdict);
        log.info({ task, verdict, state, final }, 'judged');
        if (final) traces?.judged(task);
      },
      failed: (task, why) => log.error({ task, why }, 'could not be judged'),
      notAttested: (task, why) => {
        metrics.attestFailures.inc();
        log.warn({ task, why }, 'a report lacks what a service should have added');
      },
      open: (count) => metrics.openTasks.set(count),
      steps: telemetry.steps,
    }),
    ...(traces === undefined ? [] : [traces]),
    ...(settings.telemetry === undefined ? [] : [telemetry.way(measure)]),
  ];
  const boundary = async (): Promise<void> => {
    await Promise.all([nodes.boundary(), trails.boundary()]);
  };
  const ready = (): string[] => [...nodes.ready(), ...trails.ready()];
  const handle = controlHandler({ book, store, metrics, boundary, ready, measure, log });
  const servers: HttpServer[] = [];
  const running = ways.map((way) => way.run(stop.signal));
  try {
    servers.push(...(await openServers(settings, handle)));
    for (const { address } of servers) log.info({ address }, 'listening');
    log.info({ store: path, nodes: sources.tetragon.map(({ node }) => node) }, 'collecting');
    const ended = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()));
    // a way that ends before it was told to has met a mistake of the operator
    await Promise.race([stop.signal.aborted ? undefined : ended, ...running.map((way) => way.then(() => ended))]);
  } finally {
    stop.abort();
    await Promise.all(servers.map((server) => server.close()));
    await Promise.allSettled(running);
  }
}

function openTraces(
  { traces, store }: Settings,
  env: CollectorOptions['env'],
  tasks: () => Iterable<string>,
  metrics: Metrics,
  steps: Steps,
  log: Logger,
): TraceLoop | undefined {
  if (traces === undefined) return undefined;
  return traceLoop({
    store: store.path,
    traces,
    env,
    tasks,
    exported: (task, { traceId, spans, leftOut, rejected }) => {
      metrics.tracesExported.inc();
      if (rejected > 0) log.warn({ task, traceId, spans, rejected }, 'the backend refused spans of a trace');
      else log.info({ task, traceId, spans, leftOut }, 'trace exported');
    },
    failed: (task, why) => {
      metrics.traceFailures.inc();
      log.warn({ task, why }, 'trace not exported; it is tried again');
    },
    waiting: (count) => metrics.tracesWaiting.set(count),
    run: (args, environment, signal) =>
      steps.run(
        'export',
        () => runCommand(args, environment, signal),
        (ended) => ({
          attributes: { [own.taskId]: args[1] },
          ...(ended.code === 0 ? {} : { failed: whyOf(ended) }),
        }),
      ),
  });
}

async function openServers({ store, collector }: Settings, handle: Handler): Promise<HttpServer[]> {
  const open = ['/healthz', '/readyz', '/metrics'];
  const control = await openHttp({ listen: `unix://${controlSocket(store.path)}`, token: undefined, open, handle });
  if (collector.listen === undefined) return [control];
  const token = collector.token === undefined ? undefined : await readToken(collector.token);
  try {
    return [control, await openHttp({ listen: collector.listen, token, open, handle })];
  } catch (error) {
    await control.close();
    throw error;
  }
}

async function readToken(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new TallyError('input', `the token (collector.token) can't be read: ${file}; check the path.`, { cause });
  });
  if (((await stat(file)).mode & 0o077) !== 0)
    throw new TallyError('input', `${file}: others than its owner can read the token; run: chmod 600 ${file}`);
  const token = text.trim();
  if (token.length < 16)
    throw new TallyError('input', `${file}: a token has at least 16 characters; make one with: openssl rand -hex 32`);
  return token;
}
