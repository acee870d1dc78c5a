/** Of the package, which has no types of its own, what the tests of interoperability use. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  interface ResourceServer {
    readonly scope: string;
    readonly audience: string;
    readonly accessTokenFormat: 'jwt' | 'opaque';
    readonly accessTokenTTL: number;
  }

  export default class Provider {
    constructor(issuer: string, configuration: object);
    callback(): (request: IncomingMessage, response: ServerResponse) => void;
    on(event: 'grant.success' | 'grant.error' | 'server_error', listener: (context: { body?: unknown }) => void): this;
  }

  export type { ResourceServer };
}
