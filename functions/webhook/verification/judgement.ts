/**
 * What a way in says of a request. Whatever keeps one out is told in the log by these words and nothing more; the reply is
 * the same for all. Types alone.
 */

/** Why a request does not hold. */
export type Why =
  /** It brings nothing that this way in looks at. */
  | 'no-credentials'
  /** Another user, password, key or scope, or what is no token. */
  | 'wrong-credentials'
  /** Signed with another key, or not what was signed. */
  | 'wrong-signature'
  /** Signed too long ago or too far ahead; a token that has ended, has not begun, or never ends. */
  | 'timestamp'
  /** A token of another issuer. */
  | 'issuer'
  /** A token for somebody else. */
  | 'audience'
  /** A token whose key the issuer does not publish. */
  | 'unknown-key';

export type Judgement = 'holds' | Why;
