/** The manual, as `--help` prints it: 80 columns at most. */
export const MANUAL = `npm run replay -- [where] [which] [what] [how]

Lists the dead letters of a destination, shows one, puts them back into their
queue, or keeps them in a file. Without a word about what to do it lists, and
changes nothing: what it received is given back.

WHERE
  --destination <name>  the destination of serverless.yml whose dead letters are
                        meant
  --stage <name>        of the deployment. Default: dev; "local" is the
                        landscape of npm start
  --port <number>       with --stage local: of the landscape's page, where that
                        is not 4100
  --region <name>       of the queues. Default: that of --dead-letter-queue,
                        else eu-central-1
  --service <name>      "service" of serverless.yml. Default: token-relay
  --dead-letter-queue <url>
                        this queue, in place of one that is found by the names
                        above
  --import <file>       letters of an earlier --export, in place of a queue

WHICH (every filter that is given must hold; none: all letters)
  --id <id>             of the message or of the letter; may be repeated
  --reason <text>       part of the reason, upper and lower case alike
  --outcome <word>      rejected, failed, blocked, or unknown (moved by SQS
                        itself); may be repeated
  --destination <name>  with --dead-letter-queue or --import: letters of this
                        destination
  --older-than <time>   dead for at least that long: 90s, 15m, 2h, 3d
  --newer-than <time>   dead for less than that
  --limit <number>      at most so many, the first that come

WHAT (one of these; none: list)
  --show <id>           attributes, reason, the endpoint's own words, which may
                        quote the payload, and size of one letter; with --body
                        its payload, too
  --export <file>       writes the letters, PAYLOADS INCLUDED, to a new file,
                        one JSON object a line
  --send                puts them back into the queue that each came from, with
                        the same id and the attributes that they had, and then
                        deletes the letter
  --bury                with --import: puts the letters, as they were, into
                        --dead-letter-queue

HOW
  --queue <url>         puts back into this queue, whatever the letters say
  --rate <number>       letters a second, 0.02 to 1000. Default: 10
  --journal <file>      what was sent. Default: replay-journal.jsonl in the
                        working directory
  --side <old|new>      with a cut-over: to this side, in place of the one that
                        the letter's tries went to
  --may-run-twice       with --side: also letters whose outcome on the other
                        side is unknown
  --allow-new-id        puts a message back without its id if there is no room
                        for it beside its own attributes: the flow then sees it
                        under a new id

NOTHING IS LOST
  A letter is deleted only after SQS took the message. The journal has a line
  before and after each send. After a break run the same command again, with the
  same journal, and it goes on:
    sent, but not deleted   it is only deleted
    begun, end unknown      it is sent again with the same id, so that the
                            receiver can tell. On FIFO it has the same
                            deduplication id, too: within five minutes SQS drops
                            the second
  A message that dies again while the command runs is not sent in circles: its
  new letter stays, and the last line says "died again 1".
  A letter in a file cannot be deleted: the journal alone knows that it was
  sent. To send such letters again on purpose, give another --journal. Ctrl-C
  ends the letter that is begun and gives back the others; after a second Ctrl-C
  (a second later or more) they come back by themselves within 15 minutes.

RECEIVES
  SQS shows a letter only by handing it out: each list, --show or --export
  counts as one receive of every letter it reads ("received 1003 times so far").
  Nothing follows from it: a dead-letter queue moves nothing on, and a message
  that is put back begins at 0.

CUT-OVER
  A message has one side for all its tries. A letter names it, the list says it,
  and --send puts the letter back to it. --side decides otherwise. Where the
  flow may have run, it is then put back only with --may-run-twice: all letters
  but those that were rejected or blocked at their first try. A letter from
  before the setting names no side: its new sent time would decide, so put it
  back with --side old, or before the cut-over.

FIFO
  Messages of a group keep their order. After a failure the rest of its group
  waits. SQS hands out no more of a group, ten at most, while earlier letters of
  it are held: what lies behind them is not listed, exported or sent before
  these are gone, and the last lines say how many these are.

AWS
  Credentials come as for the AWS CLI: variables, profile, SSO. They must allow,
  of the dead-letter queue, sqs:GetQueueUrl, sqs:GetQueueAttributes,
  sqs:ReceiveMessage, sqs:ChangeMessageVisibility and sqs:DeleteMessage, and of
  the queue sqs:SendMessage. The landscape needs none. The SDK's own variables
  hold.

EXIT CODE
  0 done; 1 something failed, was not found, or could not be exported, or SQS
  does not answer; 2 a mistake in the command; 130 broken off

EXAMPLES
  npm run replay -- --stage prod --destination orders
  npm run replay -- --stage prod --destination orders --outcome blocked --send
  npm run replay -- --stage prod --destination orders --show 7f0c1b9e-52a4-4c0e
  npm run replay -- --stage prod --destination orders --limit 1 --send
  npm run replay -- --stage prod --destination orders --export orders.jsonl
  npm run replay -- --import orders.jsonl --region eu-west-1 --send --rate 2
  npm run replay -- --stage local --destination orders
`;
