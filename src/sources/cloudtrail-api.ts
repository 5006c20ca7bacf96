import {
  CloudTrailClient,
  DescribeTrailsCommand,
  type Event,
  GetEventSelectorsCommand,
  GetTrailStatusCommand,
  ListPublicKeysCommand,
  type PublicKey,
  LookupEventsCommand,
  type Trail,
} from '@aws-sdk/client-cloudtrail';
import type { CloudTrailSource } from '../model/collector.ts';
import { AwsError, callAws, clientSettings } from './aws-error.ts';

/** A span of time, both ends in ms since the epoch. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** The outputs of the three calls that describe a trail, times and bytes as in JSON. */
export interface DescribedTrail {
  readonly trail: Trail;
  readonly status: object;
  readonly selectors: object;
}

/** CloudTrail's API of any region. Calls throw AwsError. */
export interface TrailApi {
  /** Keys of the region that were valid at some time in the span; `Value` is still bytes. */
  publicKeys(region: string, span: Span, signal: AbortSignal): Promise<PublicKey[]>;
  /** Every trail that watches the region, and a sentence for each that could not be asked about. */
  trails(region: string, signal: AbortSignal): Promise<{ trails: DescribedTrail[]; failed: AwsError[] }>;
  /** One page of management events, the newest first. */
  events(
    region: string,
    page: Span & { readonly token: string | undefined },
    signal: AbortSignal,
  ): Promise<{ events: Event[]; token: string | undefined }>;
  /** Looks for credentials anew. */
  reopen(): void;
}

export function openTrailApi(source: CloudTrailSource): TrailApi {
  const clients = new Map<string, CloudTrailClient>();
  const clientOf = (region: string): CloudTrailClient => {
    const client = clients.get(region) ?? new CloudTrailClient(clientSettings(region, source.endpoint));
    clients.set(region, client);
    return client;
  };
  const reopen = (): void => {
    for (const client of clients.values()) client.destroy();
    clients.clear();
  };
  return {
    publicKeys: async (region, { from, until }, signal) => {
      const keys: PublicKey[] = [];
      let token: string | undefined;
      do {
        const command = new ListPublicKeysCommand({
          StartTime: new Date(from),
          EndTime: new Date(until),
          NextToken: token,
        });
        const page = await call(`ListPublicKeys in ${region}`, signal, (abortSignal) =>
          clientOf(region).send(command, { abortSignal }),
        );
        keys.push(...(page.PublicKeyList ?? []));
        token = page.NextToken;
      } while (token !== undefined && token !== '');
      return keys;
    },
    trails: async (region, signal) => {
      const client = clientOf(region);
      const described = await call(`DescribeTrails in ${region}`, signal, (abortSignal) =>
        client.send(new DescribeTrailsCommand({ includeShadowTrails: true }), { abortSignal }),
      );
      const trails: DescribedTrail[] = [];
      const failed: AwsError[] = [];
      for (const trail of described.trailList ?? []) {
        // A trail whose home is elsewhere is found by its ARN only.
        const name = trail.TrailARN ?? trail.Name;
        const what = (operation: string): string => `${operation} of ${name ?? ''} in ${region}`;
        try {
          const status = await call(what('GetTrailStatus'), signal, (abortSignal) =>
            client.send(new GetTrailStatusCommand({ Name: name }), { abortSignal }),
          );
          const selectors = await call(what('GetEventSelectors'), signal, (abortSignal) =>
            client.send(new GetEventSelectorsCommand({ TrailName: name }), { abortSignal }),
          );
          trails.push({ trail, status: withoutMetadata(status), selectors: withoutMetadata(selectors) });
        } catch (error) {
          if (!(error instanceof AwsError)) throw error;
          failed.push(error);
        }
      }
      return { trails, failed };
    },
    events: async (region, { from, until, token }, signal) => {
      const command = new LookupEventsCommand({
        StartTime: new Date(from),
        EndTime: new Date(until),
        MaxResults: 50,
        NextToken: token,
      });
      const page = await call(`LookupEvents in ${region}`, signal, (abortSignal) =>
        clientOf(region).send(command, { abortSignal }),
      );
      return { events: page.Events ?? [], token: page.NextToken === '' ? undefined : page.NextToken };
    },
    reopen,
  };
}

function call<T>(what: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return callAws({ what, seconds: 60, signal }, work);
}

function withoutMetadata(output: object): object {
  return Object.fromEntries(Object.entries(output).filter(([key]) => key !== '$metadata'));
}
