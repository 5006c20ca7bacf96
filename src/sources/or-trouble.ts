import { TallyError } from '../model/errors.ts';

/** What went wrong and can be tried again, as a value; anything else is thrown. */
export async function orTrouble<T>(work: () => Promise<T>): Promise<T | TallyError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TallyError && error.retryable) return error;
    throw error;
  }
}
