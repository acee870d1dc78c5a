/** S3 of the local landscape: the fauxqs package, of which nothing else is used, bound to loopback. */
import { buildApp } from 'fauxqs';

export interface S3 {
  readonly url: string;
  /**
   * Takes `s3:ListBucket` from every caller, or gives it back: without it nobody is told that an object is missing.
   * AWS: API Reference "HeadObject" and "GetObject", "Permissions": 404 with it, 403 without. Given at first.
   */
  denyListing(on: boolean): void;
  stop(): Promise<void>;
}

const ACCESS_DENIED =
  '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>';

/** @param options `port` default any free one */
export async function startS3({ port = 0 }: { readonly port?: number } = {}): Promise<S3> {
  let mayList = true;
  // Its own startFauxqs listens on every interface.
  const app = buildApp({ logger: false, host: '127.0.0.1' });
  app.addHook('onSend', async ({ method, url }, reply, payload) => {
    const isRead = method === 'GET' || method === 'HEAD';
    if (mayList || !isRead || reply.statusCode !== 404 || !/^\/[^/?]+\/[^?]/.test(url)) return payload;
    reply.code(403);
    return method === 'HEAD' ? payload : ACCESS_DENIED;
  });
  const url = await app.listen({ port, host: '127.0.0.1' });
  return {
    url,
    denyListing: (on) => {
      mayList = !on;
    },
    stop: async () => {
      await app.close();
    },
  };
}
