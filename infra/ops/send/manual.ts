/** The manual, as `--help` prints it: 80 columns at most. */
export const SEND_MANUAL = `npm run send -- --url <webhook> --verify <kind> [--secret <secret>] [what]
npm run send -- --stage <name> --destination <name> [what]
npm run send -- --queue <url> [what]
npm run send -- @<file> [more]

Signs a request as a sender of this kind does, sends it to a webhook, and prints
the answer; or sends a message to a queue. @<file>, in front of all others, has
the options, one a line; what follows it wins. npm start writes such files.

WHERE
  --url <url>           https://<api>/webhooks/<destination>; of npm start: the
                        one it prints
  --verify <kind>       as in serverless.yml: basic, api-key, hmac,
                        standard-webhooks, jwt, iam, none, github, shopify,
                        stripe, sap-open-connectors
  --destination <name>  in place of --url: its queue that a deployment created
  --stage <name>        of the deployment. Default: dev; "local" is the
                        landscape of npm start
  --port <number>       with --stage local: of the landscape's page, where that
                        is not 4100
  --queue <url>         in place of --url: of the queue, as SQS tells it
  --group <id>          of a FIFO queue: the message group. Default:
                        npm-run-send
  --handshake <origin>  in place of --verify: asks with OPTIONS, as SAP Event
                        Mesh does, whether this origin may send

SECRET (not for none and --handshake)
  --secret env:<NAME>   a variable with what sender and webhook share: basic
                        user:password; api-key the key; jwt the token; iam an
                        access key, as JSON with AccessKeyId and
                        SecretAccessKey; all others the secret. The JSON that
                        lies in Secrets Manager will do, too; of a list its
                        first entry
  --secret @<file>      the same, from a file; a line break at its end does not
                        count. One given plain is taken with a warning: shells
                        keep it

WHAT
  --data <text>         the payload. Default: a small order in JSON
  --data @<file>        the same, from a file, byte for byte
  --content-type <type> Default: application/json
  --id <id>             the message id, in the header where this kind of sender
                        has it: X-GitHub-Delivery, X-Shopify-Webhook-Id,
                        webhook-id, else X-Request-Id; Stripe's is in the
                        payload; to a queue the attribute messageId. Default: a
                        new one
  --header '<name>: <value>'
                        a further header, to a queue a further attribute; may be
                        repeated
  --method <method>     Default: POST

HOW
  --key-header <name>   api-key: Default: X-Api-Key
  --signature-header <name>
                        hmac and presets: in place of the preset's; hmac has
                        none of its own
  --algorithm <name>    hmac and presets: sha256, sha512, sha1
  --encoding <name>     hmac and presets: hex, base64
  --prefix <text>       hmac and presets: before the signature
  --timestamp-header <name>
                        hmac: sends the time there, in Unix seconds
  --signed-content <text>
                        hmac: what is signed, with {timestamp} and {body} in it
  --at <seconds>        signs as of this Unix time, in place of now: an old one
                        is refused
  --region <name>       iam: of the gateway. Default: AWS_REGION, else from the
                        URL. Of a queue: where it is
  --service <name>      iam: execute-api, or lambda for a function URL. Default:
                        from the URL. With --destination: "service" of
                        serverless.yml. Default: token-relay
  --curl                also prints the request as a line for curl, CREDENTIALS
                        INCLUDED

For iam without --secret, and for a queue, the credentials come as for the AWS
CLI: variables, profile, SSO. The landscape needs none.

EXIT CODE
  0 the answer was 2xx; 1 it was another, or there was none; 2 a mistake in the
  command

EXAMPLES
  npm run send -- --stage local --destination orders --data @order.json
  npm run send -- --url $URL --verify basic --secret @user.txt
  npm run send -- --url $URL --verify github --secret env:SECRET --id 4711
  npm run send -- --url $URL --verify hmac --signature-header X-Signature \\
    --secret @secret.txt
  npm run send -- --url $URL --verify stripe --secret env:SECRET --at 1700000000
  npm run send -- --url $URL --handshake em.example.com
`;
