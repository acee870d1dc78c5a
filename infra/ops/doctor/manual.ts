/** The manual, as `--help` prints it: 80 columns at most. */
export const DOCTOR_MANUAL = `npm run doctor -- [where] [how]

Looks at a deployment from end to end, in the order in which one thing depends
on another, and says what is wrong, who must act, and where the runbook tells
more.
Changes nothing, and sends no message unless --send says so.

WHERE
  --stage <name>        of the deployment. Default: dev; "local" is the
                        landscape of npm start
  --destination <name>  this one alone. Default: all
  --region <name>       Default: eu-central-1
  --port <number>       with --stage local: of the landscape's page, where that
                        is not 4100
  --service <name>      "service" of serverless.yml. Default: token-relay

HOW
  --json                {"success", "findings": [{"id", "group", "result",
                        "actor", "reason", "anchor", "destination", "side",
                        "commands"}]}; result is ok, warning, error or
                        not-checked
  --cutover             of destinations with a cutover: how both sides differ,
                        and whether the cut may happen; after it, what is left
                        on the old side. Sends no message
  --ticket              what SAP asks for in an incident, ready to be pasted,
                        of one destination; without secrets. Of a payload that
                        the flow refuses, what to give to its sender instead
  --send <file>         also sends this file's content as a message to the flow,
                        past the queue: THE FLOW RUNS
  --help                this text

Each line begins with √ fine, ‼ works and somebody should still act, × messages
do not get through, or · not checked, with the reason. Who must act:
  settings        whoever writes serverless.yml and the secrets
  aws             whoever runs the AWS account
  sap-security    whoever gives out clients, roles and certificates at SAP
  flow-developer  whoever builds the integration flow
  sender          whoever sends the messages
  network         whoever runs names, routes, proxies and trust between them

It reads the settings of the functions that are deployed, and secrets by your
own rights: it needs lambda:GetFunctionConfiguration and
ListEventSourceMappings, sqs:GetQueueUrl, GetQueueAttributes and ReceiveMessage,
secretsmanager:GetSecretValue, cloudwatch:DescribeAlarms and GetMetricData,
sns:ListSubscriptionsByTopic. What it may not see it says, and goes on. Of dead
letters it reads up to ten, which counts as a receive of each.

EXIT CODE
  0 all is well; 1 something was found; 2 a mistake in the command; 3 nothing
  was found, but not everything could be looked at; 130 broken off

EXAMPLES
  npm run doctor -- --stage prod
  npm run doctor -- --stage prod --destination orders --ticket
  npm run doctor -- --stage local
`;
