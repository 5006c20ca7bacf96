/** The bytes of standard base64 in the only form that encodes them (padding, no stray bits), else undefined. */
export function parseBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
