/** What the operator must correct in the command before anything can happen: told in one line, exit code 2. */
export class Mistake extends Error {
  override readonly name = 'Mistake';
}
