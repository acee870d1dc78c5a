/**
 * Tokens of a certified authorization server, found by its own discovery document: a witness that jose did not sign for
 * us.
 */
import { expect, test } from 'vitest';
import { createHttpClient } from '../../functions/http/http.ts';
import { OTHER_SCOPE, SCOPE, startCertifiedServer } from '../token/certified-server.ts';
import { webhookEvent } from './aws-http-events.ts';
import { openWebhook, statusOf } from './open-webhook.ts';
import { verifyAs } from './senders.ts';

const CLIENT = { clientId: 'mesh', clientSecret: 'a secret of the mesh' };

async function grantedToken(tokenUrl: string): Promise<string> {
  const form = { grant_type: 'client_credentials', client_id: CLIENT.clientId, client_secret: CLIENT.clientSecret };
  const response = await fetch(tokenUrl, { method: 'POST', body: new URLSearchParams({ ...form, scope: SCOPE }) });
  return String(((await response.json()) as Record<string, unknown>).access_token);
}

test.each<[string, object, number | undefined]>([
  ['its audience and a scope that was granted let in', { scope: SCOPE }, undefined],
  ['its audience alone lets in', {}, undefined],
  ['a scope that was not granted does not', { scope: OTHER_SCOPE }, 401],
  ['another audience does not', { audience: 'orders' }, 401],
])('a JWT of a certified authorization server is checked: %s', async (_, options, status) => {
  const { tokenUrl } = await startCertifiedServer({ ...CLIENT, accessTokenFormat: 'jwt' });
  const issuer = new URL(tokenUrl).origin;
  const opened = openWebhook({
    verify: verifyAs({ type: 'jwt', issuer, audience: 'https://flows.example', ...options }),
  });
  opened.clock.moveTo(Date.now());
  opened.send = createHttpClient();
  const authorization = `Bearer ${await grantedToken(tokenUrl)}`;
  expect(statusOf(await opened.admitEvent(webhookEvent({ headers: { authorization } })))).toBe(status);
});
