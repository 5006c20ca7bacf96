import { createHash } from 'node:crypto';
import type { FormOptions } from '../../src/report/form.ts';

export const formOptions: FormOptions = {
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
};
