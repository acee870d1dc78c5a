/** The manuals, as `--help` prints them: 80 columns at most. */
const OPTIONS = `  --destination <name>  required
  --stage <name>        of the deployment. Default: dev; "local" is the
                        landscape of npm start
  --region <name>       Default: eu-central-1
  --port <number>       with --stage local: of the landscape's page, where that
                        is not 4100
  --service <name>      "service" of serverless.yml. Default: token-relay
  --help                this text

EXIT CODE
  0 it is so now; 1 it could not be done; 2 a mistake in the command; 130 broken
  off
`;

export const PAUSE_MANUAL = `npm run pause -- --stage <name> --destination <name>

Stops the delivery of one destination without a deployment: its event source
mapping is disabled. Messages are still taken, and wait in the queue, 14 days at
most. What is in flight is finished: once npm run doctor shows "0 in flight or
hidden" nothing is on its way. Webhooks of mode direct are no part of the queue
and go on.

serverless.yml does not know of it. A deployment leaves the pause as it is,
unless it changes this mapping, and may then end it: custom.alarms set for the
first time does, on standard queues. npm run package says so where the package
before stands in the same folder, npm run doctor shows whether it is paused. The
alarms not-picked-up and nobody-polls ring while messages wait.

${OPTIONS}`;

export const RESUME_MANUAL = `npm run resume -- --stage <name> --destination <name>

Ends a pause of npm run pause: the event source mapping is enabled again, and
what waits in the queue is delivered.

${OPTIONS}`;
