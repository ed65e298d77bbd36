// A BACnet/IP client on @bacnet-js/client against the simulated device: each line in is one request, in JSON, each
// line out its outcome, in JSON after the word "answer". A notification of a change is a line of its own.
//
//     node bacnet_client.js OWN_PORT DEVICE_PORT
//
// In:  {"ask": "whoIs", "low": 4, "high": 4}      {"ask": "read", "object": [0, 5], "property": 85}
//      {"ask": "readMany", "of": [[0, 5, 85], [2, 2, 87]]}
//      {"ask": "write", "object": [2, 2], "property": 85, "tag": 4, "value": 21.5, "priority": 13}
//      {"ask": "subscribe", "object": [0, 10], "process": 7, "confirmed": true, "lifetime": 60, "cancel": false}
// Out: "ready", "answer JSON", "change JSON". Ends with its input.
'use strict';

const readline = require('node:readline');
const bacnet = require('@bacnet-js/client');

const [ownPort, devicePort] = process.argv.slice(2).map(Number);
const WHOLE = bacnet.ASN1_ARRAY_ALL;
const device = { address: `127.0.0.1:${devicePort}` };
const own = new bacnet.default({
  port: ownPort, interface: '127.0.0.1', broadcastAddress: '127.0.0.1', reuseAddr: false, apduTimeout: 2000,
});

const say = (word, content) => process.stdout.write(content === undefined ? `${word}\n` : `${word} ${JSON.stringify(content)}\n`);
const objectOf = ([type, instance]) => ({ type, instance });
const plain = (atom) => atom.value;
const row = (objectId, entry) => [objectId.type, objectId.instance, entry.property?.id ?? entry.id, entry.value.map(plain)];

const asks = {
  whoIs: ({ low, high }) => new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), 500);
    own.once('iAm', ({ payload }) => {
      clearTimeout(timer);
      resolve(payload);
    });
    own.whoIs(device, { lowLimit: low, highLimit: high });
  }),
  read: async ({ object, property, index }) => {
    const options = index === undefined ? {} : { arrayIndex: index };
    return (await own.readProperty(device, objectOf(object), property, options)).values.map(plain);
  },
  readMany: async ({ of }) => {
    const wanted = of.map(([type, instance, id]) => ({ objectId: { type, instance }, properties: [{ id, index: WHOLE }] }));
    const { values } = await own.readPropertyMultiple(device, wanted);
    return values.flatMap(({ objectId, values: entries }) => entries.map((entry) => row(objectId, entry)));
  },
  write: async ({ object, property, tag, value, priority }) => {
    const options = priority === undefined ? {} : { priority };
    await own.writeProperty(device, objectOf(object), property, [{ type: tag, value }], options);
    return 'done';
  },
  subscribe: async ({ object, process: subscriber, confirmed, lifetime, cancel }) => {
    await own.subscribeCov(device, objectOf(object), subscriber, cancel, confirmed, lifetime);
    return 'done';
  },
};

function changed({ header, service, invokeId, payload }, confirmed) {
  if (confirmed) own.simpleAckResponse(header.sender, service, invokeId);
  const { subscriberProcessId, initiatingDeviceId, monitoredObjectId, values } = payload;
  say('change', {
    process: subscriberProcessId, device: initiatingDeviceId.instance, confirmed,
    rows: values.map((entry) => row(monitoredObjectId, entry)),
  });
}

own.on('covNotify', (message) => changed(message, true));
own.on('covNotifyUnconfirmed', (message) => changed(message, false));
own.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
own.on('listening', () => say('ready'));

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const wanted = JSON.parse(line);
  asks[wanted.ask](wanted).then(
    (answer) => say('answer', { ok: answer }),
    (error) => say('answer', { error: error.message }),
  );
}).on('close', () => {
  own.close();
  process.exit(0);
});
