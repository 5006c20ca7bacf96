/** Bytes that are not what they should be. Its message is our own words alone. */
export class Misfit extends Error {
  override readonly name = 'Misfit';
}
