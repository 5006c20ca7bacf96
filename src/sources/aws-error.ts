import { TallyError } from '../model/errors.ts';

/** What stands in the way, as far as the operator has to do something else about it. */
export type AwsTrouble = 'credentials' | 'forbidden' | 'not-found' | 'throttled' | 'clock' | 'bucket' | 'unreachable';

/** A call to AWS that failed after the SDK's own retries. Its message says what was asked and what to do. */
export class AwsError extends TallyError {
  readonly trouble: AwsTrouble;

  constructor(trouble: AwsTrouble, what: string, cause: unknown) {
    super('input', `${what}: ${advice[trouble]} (${describe(cause)})`, { cause, retryable: true });
    this.trouble = trouble;
  }
}

const advice: Readonly<Record<AwsTrouble, string>> = {
  credentials: 'the AWS credentials are absent, expired or wrong; renew them where the collector finds them',
  forbidden:
    'access is denied; grant the collector s3:ListBucket and s3:GetObject (and kms:Decrypt for the bucket’s key) and the read calls of CloudTrail',
  'not-found': 'it is not there',
  throttled: 'AWS says to slow down; it is tried again',
  clock: 'the clock is wrong; set it by NTP',
  bucket: 'the bucket can’t be used; check its name and region in sources.cloudtrail',
  unreachable: 'no proper answer came; it is tried again',
};

/** Names of errors on the wire, S3's and those of CloudTrail's JSON protocol. */
const names: Readonly<Record<string, AwsTrouble>> = {
  CredentialsProviderError: 'credentials',
  TokenProviderError: 'credentials',
  ExpiredToken: 'credentials',
  ExpiredTokenException: 'credentials',
  TokenRefreshRequired: 'credentials',
  InvalidToken: 'credentials',
  InvalidAccessKeyId: 'credentials',
  InvalidClientTokenId: 'credentials',
  UnrecognizedClientException: 'credentials',
  SignatureDoesNotMatch: 'credentials',
  InvalidSignatureException: 'credentials',
  IncompleteSignature: 'credentials',
  MissingAuthenticationToken: 'credentials',
  MissingAuthenticationTokenException: 'credentials',
  NotSignedUp: 'credentials',
  AccessDenied: 'forbidden',
  AccessDeniedException: 'forbidden',
  Forbidden: 'forbidden',
  AllAccessDisabled: 'forbidden',
  UnsupportedOperationException: 'forbidden',
  NoSuchKey: 'not-found',
  NotFound: 'not-found',
  TrailNotFoundException: 'not-found',
  SlowDown: 'throttled',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  TooManyRequestsException: 'throttled',
  RequestLimitExceeded: 'throttled',
  RequestTimeTooSkewed: 'clock',
  RequestExpired: 'clock',
  NoSuchBucket: 'bucket',
  InvalidBucketName: 'bucket',
  PermanentRedirect: 'bucket',
  AuthorizationHeaderMalformed: 'bucket',
};

export function toTrouble(cause: unknown): AwsTrouble {
  if (!(cause instanceof Error)) return 'unreachable';
  const known = names[cause.name];
  if (known !== undefined) return known;
  const { httpStatusCode } = ('$metadata' in cause ? cause.$metadata : {}) as { httpStatusCode?: number };
  if (httpStatusCode === 401) return 'credentials';
  if (httpStatusCode === 403) return 'forbidden';
  if (httpStatusCode === 429) return 'throttled';
  return 'unreachable';
}

/** Name and message, short: a server may answer anything. */
function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause).slice(0, 200);
  return `${cause.name}: ${cause.message}`.replaceAll(/[\s\p{Cc}]+/gu, ' ').slice(0, 200);
}

/**
 * Makes one call, with all its retries, that ends with `signal` or after `seconds`. Whatever fails becomes an
 * {@link AwsError}: what a server on the other side answers must not end the collector. `what` is for its message.
 */
export async function callAws<T>(
  { what, seconds, signal }: { readonly what: string; readonly seconds: number; readonly signal: AbortSignal },
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const stop = (): void => end.abort();
  const timer = setTimeout(stop, seconds * 1000);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await call(end.signal);
  } catch (cause) {
    throw new AwsError(toTrouble(cause), what, cause);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/** Settings of every client. The SDK caches credential files for as long as the process lives, unless it is told not to. */
export function clientSettings(region: string, endpoint: string | undefined) {
  // It would print lines amid the log's JSON; which Node works is said in package.json, and the SDK's version is locked.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  return {
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    retryMode: 'adaptive',
    maxAttempts: 5,
    requestHandler: { connectionTimeout: 5000, socketTimeout: 30_000 },
    ignoreCache: true,
  };
}
