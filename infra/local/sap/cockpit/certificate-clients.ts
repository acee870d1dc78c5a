/**
 * The certificates of an account's clients: made by SAP or brought by the sender, renewed, and looked up when a sender
 * presents one. It owns which certificate stands for which client; the rules for one certificate are in
 * `client-certificate.ts`, and clients themselves are kept by `account.ts`.
 */
import type { CertificateAuthority } from '../../server/certificates.ts';
import { isTrusted, matchOf, type RegisteredCertificate } from './client-certificate.ts';
import type { CertificateClient, CertificateClientRegistration, Client } from './oauth-client.ts';

export interface RenewalOptions {
  /** The sender's new certificate (PEM), for a client of type `certificate_external`, which needs one. */
  readonly certificate?: string;
  /** As while the old service key still exists beside the new one. Default false: it was deleted. */
  readonly keepOld?: boolean;
}

export interface CertificateLookup {
  /** Epoch milliseconds at which the certificate is presented. */
  readonly at: number;
  /** Who the sender says it is; another client's certificate is then as good as none. */
  readonly clientId?: string;
}

/** What a client knows itself by. */
export type CertificateCredentials = Pick<CertificateClient, 'credentialType' | 'certificates' | 'key'>;

export interface CertificateClients {
  /** Throws an Error that names the field and the rule. */
  credentials(registration: CertificateClientRegistration): CertificateCredentials;
  /** The client with its new credentials. Throws an Error as `credentials` does. */
  renewed(client: CertificateClient, options: RenewalOptions): CertificateClient;
  /** The client, and itself as it is to be kept: a renewed certificate has taken its predecessor's place. */
  find(certificate: string, lookup: CertificateLookup): CertificateClient | undefined;
}

export interface CertificateClientsOptions {
  /** Of the account, to be read only. */
  readonly clients: ReadonlyMap<string, Client>;
  /** Issues certificates, and is the one whose certificates are trusted. */
  readonly authority: CertificateAuthority | undefined;
  /** Gives the common name of a certificate that SAP makes. */
  readonly commonName: () => string;
}

/** Reads `clients` whenever it is asked, and remembers nothing itself. */
export function createCertificateClients({
  clients,
  authority,
  commonName,
}: CertificateClientsOptions): CertificateClients {
  const all = (): CertificateClient[] => [...clients.values()].filter((client) => client.credentialType !== 'secret');

  function issue(validDays = 365): CertificateCredentials & { readonly key: string } {
    if (authority === undefined)
      throw new Error('certificateAuthority: the account has none that could issue certificates');
    if (!Number.isInteger(validDays) || validDays < 1 || validDays > 365) {
      throw new Error(`validDays: must be a whole number from 1 to 365, not ${validDays}`);
    }
    const { certificate, key } = authority.clientCertificate({ commonName: commonName(), validDays, keyType: 'rsa' });
    return { credentialType: 'certificate', certificates: [{ certificate, pinned: true }], key };
  }

  /** "You can only use a single certificate once across all existing service instances." */
  function takeExternal(certificate: string, pinned: boolean): RegisteredCertificate {
    const registered = { certificate, pinned };
    const holder = all().find((client) => client.certificates.some((known) => matchOf(certificate, known) === 'same'));
    if (holder !== undefined) throw new Error(`certificate: is registered for ${holder.clientId} already`);
    return registered;
  }

  return {
    credentials: ({ certificate, pinned = true, validDays }) =>
      certificate === undefined
        ? issue(validDays)
        : { credentialType: 'certificate_external', certificates: [takeExternal(certificate, pinned)] },
    renewed: (client, { certificate, keepOld = false }) => {
      const kept = keepOld ? client.certificates : [];
      if (client.credentialType === 'certificate') {
        if (certificate !== undefined) throw new Error(`certificate: the one of ${client.clientId} is made by SAP`);
        const next = issue();
        return { ...client, ...next, certificates: [...kept, ...next.certificates] };
      }
      if (certificate === undefined) throw new Error(`certificate: ${client.clientId} must bring its own`);
      const pinned = client.certificates.at(-1)?.pinned ?? true;
      return { ...client, certificates: [...kept, takeExternal(certificate, pinned)] };
    },
    find: (certificate, { at, clientId }) => {
      if (authority === undefined || !isTrusted(certificate, { authorities: [authority.caPem], at })) return undefined;
      const matches = all().flatMap((client) =>
        client.certificates.flatMap((registered) => {
          const match = matchOf(certificate, registered);
          return match === undefined ? [] : [{ client, registered, match }];
        }),
      );
      const found = matches.find(({ match }) => match !== 'namesake');
      // "A call with such a certificate will be rejected" while another service key has one of the same names, unless
      // both are pinned.
      const others = matches.filter(({ client }) => client !== found?.client);
      const conflict = others.length > 0 && matches.some(({ registered }) => !registered.pinned);
      if (found === undefined || conflict) return undefined;
      if (clientId !== undefined && clientId !== found.client.clientId) return undefined;
      if (matches.some(({ match }) => match === 'same')) return found.client;
      const renewed = matches.findLast(({ match }) => match === 'renewed');
      if (renewed === undefined) return undefined;
      const certificates = found.client.certificates.map((registered) =>
        registered === renewed.registered ? { certificate, pinned: false } : registered,
      );
      return { ...found.client, certificates };
    },
  };
}
