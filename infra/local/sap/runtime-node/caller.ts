/**
 * Who calls a runtime node: the client of a Bearer token, or on Cloud Foundry of a client certificate (SAP: "Client
 * Certificate Authentication for Integration Flow Processing"), and whether it has a role. What a call then does is for
 * `runtime-node.ts`; tokens are judged by `token-validation.ts`, certificates by the account.
 */
import type { Request } from '../../server/server.ts';
import { thumbprintOf } from '../cockpit/client-certificate.ts';
import { userOf } from '../cockpit/oauth-client.ts';
import { bearerToken } from './bearer-token.ts';
import { createTokenValidation, type TokenValidationOptions, type Verdict } from './token-validation.ts';

export interface CallersOptions extends Omit<TokenValidationOptions, 'audience'> {
  /** VM name of the node's subscription. */
  readonly subscription: string;
}

/** By what a call was judged; `none` was there. */
export type CallerAuthentication = 'token' | 'certificate' | 'none';

export interface Callers {
  /** A call without credentials is `refused`. */
  authenticate(request: Request): Promise<Verdict>;
  /** On CF the role must be in the token and, still, in the account; on Neo it is looked up in the account alone. */
  mayCall(clientId: string, scopes: readonly string[], role: string): boolean;
}

/** The callers of the node that `subscription` names. */
export function createCallers({ subscription, ...options }: CallersOptions): Callers {
  const { account } = options.trust;
  const { audience } = account.subscription(subscription);
  const validate = createTokenValidation({ ...options, audience });

  /** Its roles are the service instance's: no token carries them. */
  function certified(certificate: string): Verdict {
    const client = account.clientByCertificate(certificate, { at: options.now() });
    if (client?.subscription !== subscription) return { kind: 'refused', why: 'no client has this certificate' };
    const { clientId } = client;
    const scopes = account.roles(userOf(clientId), subscription).map((role) => `${audience}.${role}`);
    return { kind: 'accepted', clientId, scopes };
  }

  /**
   * "The protected resource MUST" check it (RFC 8705 section 3); whether SAP's nodes do is not documented [assumed].
   */
  function confirmed(verdict: Verdict, { clientCertificate }: Request): Verdict {
    if (verdict.kind !== 'accepted' || verdict.boundTo === undefined) return verdict;
    const presented = clientCertificate === undefined ? undefined : thumbprintOf(clientCertificate);
    return presented === verdict.boundTo
      ? verdict
      : { kind: 'refused', why: 'the token is bound to another certificate' };
  }

  return {
    authenticate: async (request) => {
      const token = bearerToken(request);
      if (token !== undefined) return confirmed(await validate(token), request);
      return authenticationOf(request) === 'certificate' && request.clientCertificate !== undefined
        ? certified(request.clientCertificate)
        : { kind: 'refused', why: 'the call has neither a Bearer token nor a client certificate' };
    },
    mayCall: (clientId, scopes, role) => {
      const inToken = account.environment === 'neo' || scopes.includes(`${audience}.${role}`);
      return inToken && account.hasRole({ user: userOf(clientId), role, subscription });
    },
  };
}

/** Where a request has both, the header `Authorization` decides, even when it is of no use [assumed]. */
export function authenticationOf(request: Request): CallerAuthentication {
  if (bearerToken(request) !== undefined) return 'token';
  const certificateAlone = request.headers.authorization === undefined && request.clientCertificate !== undefined;
  return certificateAlone ? 'certificate' : 'none';
}
