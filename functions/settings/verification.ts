/**
 * How senders are verified, as `settings.ts` checked it, with every default: a preset has become the `hmac` that it
 * stands for, and each entry that needs a secret has its name. Types alone.
 */

/** One entry of `webhook.verify`; any one of them lets a request in. */
export type Verification =
  | BasicVerification
  | ApiKeyVerification
  | HmacVerification
  | StandardWebhooksVerification
  | JwtVerification
  | { readonly type: 'iam' }
  | { readonly type: 'none' };

interface BySecret {
  /** Name or ARN in Secrets Manager. */
  readonly secret: string;
}

export interface BasicVerification extends BySecret {
  readonly type: 'basic';
}

export interface ApiKeyVerification extends BySecret {
  readonly type: 'api-key';
  /** Lower case, as all header names here. */
  readonly header: string;
}

export interface HmacVerification extends BySecret {
  readonly type: 'hmac';
  readonly header: string;
  /** `list`: the header is `t=<timestamp>,v1=<signature>[,v1=<signature>]`, as Stripe sends it. */
  readonly format: 'plain' | 'list';
  readonly algorithm: 'sha256' | 'sha512' | 'sha1';
  readonly encoding: 'hex' | 'base64';
  /** What stands before the signature in the header; may be empty. */
  readonly prefix: string;
  /** The header with the timestamp, in Unix seconds. Absent: a signature is valid without limit of time. */
  readonly timestampHeader?: string;
  /** `{body}` and `{timestamp}` stand for the body and the timestamp as they were sent. */
  readonly signedContent: string;
  /** Largest difference between the timestamp and now, in either direction. */
  readonly toleranceSeconds: number;
  /** Where the sender's message id is: a header's name, or a JSON pointer. */
  readonly messageId?: string;
}

export interface StandardWebhooksVerification extends BySecret {
  readonly type: 'standard-webhooks';
  readonly toleranceSeconds: number;
}

export interface JwtVerification {
  readonly type: 'jwt';
  /** Exactly as in the claim `iss` of the tokens. */
  readonly issuer: string;
  readonly audience: string;
  readonly scope?: string;
  /** Absent: `jwks_uri` of the issuer's `/.well-known/openid-configuration`. */
  readonly jwksUri?: string;
}
