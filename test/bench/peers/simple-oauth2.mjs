/** simple-oauth2 with axios, as their READMEs show it, and nothing around it. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import axios from 'axios';
import { ClientCredentials } from 'simple-oauth2';

const { SECRET_ID, ENDPOINT_URL } = process.env;
const secretsManager = new SecretsManagerClient();
let oauth;
let token;

async function accessToken() {
  if (token !== undefined && !token.expired(60)) return token.token.access_token;
  if (oauth === undefined) {
    const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: SECRET_ID }));
    const key = JSON.parse(SecretString).oauth;
    const { origin, pathname } = new URL(key.tokenurl);
    oauth = new ClientCredentials({
      client: { id: key.clientid, secret: key.clientsecret },
      auth: { tokenHost: origin, tokenPath: pathname },
      options: { authorizationMethod: 'body' },
    });
  }
  token = await oauth.getToken({ token_format: 'jwt' });
  return token.token.access_token;
}

async function forward({ messageId, body }) {
  await axios.post(ENDPOINT_URL, body, {
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${await accessToken()}`,
      SAP_ApplicationID: messageId,
    },
    timeout: 60_000,
    transformRequest: (text) => text,
  });
}

export async function handler({ Records }) {
  const results = await Promise.allSettled(Records.map(forward));
  const failed = Records.filter((_, index) => results[index].status === 'rejected');
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}
