/**
 * How senders prove who they are, as `settings.ts` checked it, with every default filled in: a preset has become the
 * `hmac` that it stands for, and each entry that needs a secret names its own. Types alone.
 */

/** One way in; of a webhook's list any one lets a request in. */
export type Verification =
  | BasicVerification
  | ApiKeyVerification
  | HmacVerification
  | StandardWebhooksVerification
  | JwtVerification
  | { readonly type: 'iam' }
  | { readonly type: 'none' };

/** What senders prove themselves with: name or ARN in Secrets Manager. */
interface Secretive {
  readonly secret: string;
}

export interface BasicVerification extends Secretive {
  readonly type: 'basic';
}

export interface ApiKeyVerification extends Secretive {
  readonly type: 'api-key';
  /** Lower case, like every header's name here. */
  readonly header: string;
}

export interface HmacVerification extends Secretive {
  readonly type: 'hmac';
  readonly header: string;
  /** `list`: the header is `t=<timestamp>,v1=<signature>[,v1=<signature>]`, as Stripe sends it. */
  readonly format: 'plain' | 'list';
  readonly algorithm: 'sha256' | 'sha512' | 'sha1';
  readonly encoding: 'hex' | 'base64';
  /** Before the signature in the header; may be empty. */
  readonly prefix: string;
  /** Unix seconds. Absent: the signature does not grow old. */
  readonly timestampHeader?: string;
  /** `{body}` and `{timestamp}` stand for what was sent. */
  readonly signedContent: string;
  /** Before and after. */
  readonly toleranceSeconds: number;
  /** Where such a sender's message id is: a header's name, or a JSON pointer. */
  readonly messageId?: string;
}

export interface StandardWebhooksVerification extends Secretive {
  readonly type: 'standard-webhooks';
  readonly toleranceSeconds: number;
}

export interface JwtVerification {
  readonly type: 'jwt';
  /** Exactly as the tokens' `iss` says it. */
  readonly issuer: string;
  readonly audience: string;
  readonly scope?: string;
  /** Absent: what the issuer's `/.well-known/openid-configuration` says. */
  readonly jwksUri?: string;
}
