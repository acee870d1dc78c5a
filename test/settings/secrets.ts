/** The forms in which client credentials lie in a secret, synthetic, as the tests of secrets begin with them. */

/** Part of every value that must not be shown. */
export const MARK = 'hunter22';

export const neutral = {
  clientId: `orders-${MARK}`,
  clientSecret: `s3cret+${MARK}`,
  tokenUrl: 'https://oauthasservices-a1b2c3.eu2.hana.ondemand.com/oauth2/api/v1/token',
};

export const flat = {
  clientid: `sb-00000000-0000-4000-8000-000000000000!b1234|it-rt-${MARK}!b56`,
  clientsecret: `11111111-1111-4111-8111-111111111111$${MARK}=`,
  tokenurl: 'https://acme-dev.authentication.eu10.hana.ondemand.com/oauth/token',
  url: 'https://acme-dev.it-cpi001-rt.cfapps.eu10.hana.ondemand.com',
  createdate: '2026-01-01T00:00:00.000Z',
};

/** Name, content, the prefix of its fields in a message, the names of the three that each form has. */
export const forms = [
  ['neutral', neutral, '', ['clientId', 'clientSecret', 'tokenUrl']],
  ['flat', flat, '', ['clientid', 'clientsecret', 'tokenurl']],
  ['nested', { oauth: flat }, 'oauth.', ['clientid', 'clientsecret', 'tokenurl']],
] as const;

/** The form with a field changed, or left out where the value is undefined. */
export function changed(content: object, field: string, value: unknown): string {
  const inner = 'oauth' in content ? (content.oauth as object) : content;
  const fields = { ...inner, [field]: value };
  return JSON.stringify('oauth' in content ? { ...content, oauth: fields } : fields);
}
