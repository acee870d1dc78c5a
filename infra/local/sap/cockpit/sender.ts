/**
 * A sender as its operator sets it up at SAP: registered by client secret, by a certificate that SAP makes, or by its
 * own, whose key then never leaves the sender. It owns what belongs into the sender's secret; the account owns the
 * client.
 */
import { X509Certificate } from 'node:crypto';
import type { IssuedCertificate } from '../../server/certificates.ts';
import type { Account, ServiceKeyOptions } from './account.ts';
import type { CredentialType } from './oauth-client.ts';
import { type ServiceKey, withLiteralLineBreaks } from './service-key.ts';

/** What the operator chooses. */
export interface ClientPlan {
  readonly clientId?: string;
  /** Default `secret`; certificates need a landscape with `tls` on Cloud Foundry. */
  readonly credentialType?: CredentialType;
  readonly clientSecret?: string;
  readonly tokenLifetimeSeconds?: number;
  /** *Pin Certificate* of `certificate_external`. Default true. */
  readonly pinned?: boolean;
  /** *Validity in days* of `certificate`, 1 to 365. Default 365. */
  readonly validDays?: number;
  /** Certificate and key lie in the secret with a backslash and an `n` for each line break. Default false. */
  readonly literalLineBreaks?: boolean;
}

/**
 * Client credentials as they are stored: the service key, and beside it the key (PEM) of the sender's own certificate.
 */
export type SenderCredentials = ServiceKey | (ServiceKey & { readonly key: string });

export interface Sender {
  /** As they are now. */
  credentials(runtimeUrl: string, options?: Pick<ServiceKeyOptions, 'nested'>): SenderCredentials;
  /** A new certificate with a new key, known to SAP. Throws an Error for a client that has a secret. */
  renewCertificate(): void;
}

/**
 * Registers the client; `name` becomes the common name of the sender's own certificate. Throws an Error, as the account
 * does, that names the field and the rule.
 */
export function registerSender(
  account: Account,
  plan: ClientPlan & { readonly name: string; readonly clientId: string; readonly subscription: string },
): Sender {
  const { name, clientId, subscription, credentialType = 'secret', literalLineBreaks = false } = plan;
  const { clientSecret, tokenLifetimeSeconds, pinned, validDays } = plan;
  const registration = {
    clientId,
    subscription,
    authorizationGrant: 'client_credentials',
    ...(tokenLifetimeSeconds === undefined ? {} : { tokenLifetimeSeconds }),
  };
  let own: IssuedCertificate | undefined;

  /** By another authority than SAP's in truth; here one stands for all that SAP trusts. */
  function ownCertificate(): { readonly certificate: string } {
    const { certificateAuthority: authority } = account;
    if (authority === undefined) throw new Error('credentialType: a certificate needs a landscape with tls');
    own = authority.clientCertificate({ commonName: name, keyType: 'rsa' });
    // "Don't enter the whole certificate chain", says SAP's form.
    return { certificate: new X509Certificate(own.certificate).toString() };
  }

  if (credentialType === 'secret') {
    account.registerClient({ ...registration, ...(clientSecret === undefined ? {} : { clientSecret }) });
  } else {
    account.registerCertificateClient({
      ...registration,
      ...(pinned === undefined ? {} : { pinned }),
      ...(validDays === undefined ? {} : { validDays }),
      ...(credentialType === 'certificate_external' ? ownCertificate() : {}),
    });
  }

  return {
    credentials: (runtimeUrl, { nested = true } = {}) => {
      const serviceKey = account.serviceKey(clientId, runtimeUrl, { nested, literalLineBreaks });
      if (own === undefined) return serviceKey;
      return { ...serviceKey, key: literalLineBreaks ? withLiteralLineBreaks(own.key) : own.key };
    },
    renewCertificate: () => {
      account.renewCertificate(clientId, credentialType === 'certificate_external' ? ownCertificate() : {});
    },
  };
}
