export type ErrorCode =
  | 'usage' // wrong flags or arguments
  | 'input' // a file that is missing, unreadable or of the wrong form
  | 'schema' // a declaration or configuration with mistakes
  | 'key' // a signing or verification key that can't be used
  | 'integrity'; // our own evidence, signature or ledger does not check out

const exitCodes: Record<ErrorCode, number> = { usage: 2, input: 2, schema: 2, key: 2, integrity: 4 };

/** An expected failure: a code, a sentence that says what to do, and whether trying again can help. */
export class TallyError extends Error {
  override readonly name = 'TallyError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** One line for each mistake, where there are several. */
  readonly details: readonly string[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retryable?: boolean; details?: readonly string[] } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? [];
  }

  get exitCode(): number {
    return exitCodes[this.code];
  }
}
