// A BACnet/IP device on @bacnet-js/client, for our driver to read, write and subscribe to.
//
//     node bacnet_device.js PORT INSTANCE
//
// Objects: analog-input,1 (21.5); analog-value,1 with a priority array (relinquish default 16); analog-value,2
// without; binary-value,1 (active); multi-state-value,1 (3).
// Out:  "ready", "wrote TYPE,INSTANCE VALUE PRIORITY", "subscribed TYPE,INSTANCE PROCESS CONFIRMED LIFETIME",
//       "cancelled TYPE,INSTANCE PROCESS", "told TYPE,INSTANCE", "acknowledged TYPE,INSTANCE", and after
//       each line in "heard TYPE,INSTANCE".
// In:   "set TYPE,INSTANCE VALUE", "slot TYPE,INSTANCE PRIORITY VALUE" (VALUE null frees it). Ends with its input.
'use strict';

const readline = require('node:readline');
const bacnet = require('@bacnet-js/client');

const {
  ApplicationTag: Tag, ConfirmedServiceChoice: Service, ErrorClass, ErrorCode,
  ObjectType, PropertyIdentifier: Property, Segmentation, ASN1_ARRAY_ALL: WHOLE,
} = bacnet;

const [port, instance] = process.argv.slice(2).map(Number);
const MAX_APDU = 1476;
const VENDOR = 999;
const NORMAL = { type: Tag.BIT_STRING, value: { bitsUsed: 4, value: [0] } };
const LOWEST_PRIORITY = 16;

class Point {
  constructor(type, number, tag, value, { writable = false, commandable = false } = {}) {
    this.id = { type, instance: number };
    this.key = `${type},${number}`;
    Object.assign(this, { tag, resting: value, writable, commandable });
    this.slots = new Array(LOWEST_PRIORITY).fill(null);
  }

  get value() {
    const held = this.slots.find((slot) => slot !== null);
    return held === undefined ? this.resting : held;
  }

  atom(value) {
    return value === null ? { type: Tag.NULL, value: null } : { type: this.tag, value };
  }

  // The application data of a property, or undefined where the object has it not.
  read(property) {
    switch (property) {
      case Property.PRESENT_VALUE: return [this.atom(this.value)];
      case Property.STATUS_FLAGS: return [NORMAL];
      case Property.OBJECT_IDENTIFIER: return [{ type: Tag.OBJECTIDENTIFIER, value: this.id }];
      case Property.PRIORITY_ARRAY: return this.commandable ? this.slots.map((slot) => this.atom(slot)) : undefined;
      case Property.RELINQUISH_DEFAULT: return this.commandable ? [this.atom(this.resting)] : undefined;
      default: return undefined;
    }
  }

  write(value, priority) {
    if (this.commandable) this.slots[priority - 1] = value;
    else this.resting = value;
  }
}

const device = {
  id: { type: ObjectType.DEVICE, instance },
  read(property) {
    switch (property) {
      case Property.OBJECT_IDENTIFIER: return [{ type: Tag.OBJECTIDENTIFIER, value: this.id }];
      case Property.OBJECT_NAME: return [{ type: Tag.CHARACTER_STRING, value: `stranger-${instance}` }];
      case Property.MAX_APDU_LENGTH_ACCEPTED: return [{ type: Tag.UNSIGNED_INTEGER, value: MAX_APDU }];
      case Property.SEGMENTATION_SUPPORTED: return [{ type: Tag.ENUMERATED, value: Segmentation.NO_SEGMENTATION }];
      default: return undefined;
    }
  },
};

const points = new Map([
  new Point(ObjectType.ANALOG_INPUT, 1, Tag.REAL, 21.5),
  new Point(ObjectType.ANALOG_VALUE, 1, Tag.REAL, 16, { writable: true, commandable: true }),
  new Point(ObjectType.ANALOG_VALUE, 2, Tag.REAL, 45, { writable: true }),
  new Point(ObjectType.BINARY_VALUE, 1, Tag.ENUMERATED, 1, { writable: true }),
  new Point(ObjectType.MULTI_STATE_VALUE, 1, Tag.UNSIGNED_INTEGER, 3, { writable: true }),
].map((point) => [point.key, point]));

const subscriptions = new Map();
const own = new bacnet.default({ port, interface: '127.0.0.1', broadcastAddress: '127.0.0.1', reuseAddr: false });

const say = (...words) => process.stdout.write(`${words.join(' ')}\n`);
const keyOf = (id) => `${id.type},${id.instance}`;
const find = (id) => (id.type === ObjectType.DEVICE && id.instance === instance ? device : points.get(keyOf(id)));

// [application data, null] or [null, [class, code]].
function lookUp(id, property) {
  const object = find(id);
  if (object === undefined) return [null, [ErrorClass.OBJECT, ErrorCode.UNKNOWN_OBJECT]];
  const found = object.read(property.id);
  if (found === undefined) return [null, [ErrorClass.PROPERTY, ErrorCode.UNKNOWN_PROPERTY]];
  if (property.index !== WHOLE) return [null, [ErrorClass.PROPERTY, ErrorCode.PROPERTY_IS_NOT_AN_ARRAY]];
  return [found, null];
}

function tell(point) {
  const values = [Property.PRESENT_VALUE, Property.STATUS_FLAGS]
    .map((id) => ({ property: { id }, value: point.read(id) }));
  for (const { receiver, process: subscriber, object, confirmed, lifetime } of subscriptions.values()) {
    if (object !== point.key) continue;
    if (confirmed) {
      own.confirmedCOVNotification(receiver, point.id, subscriber, instance, lifetime, values)
        .then(() => say('acknowledged', point.key), (error) => say('failed', error.message));
    } else {
      own.unconfirmedCOVNotification(receiver, subscriber, instance, point.id, lifetime, values);
      say('told', point.key);
    }
  }
}

own.on('whoIs', ({ header, payload }) => {
  const { lowLimit, highLimit } = payload ?? {};
  if (lowLimit === undefined || (lowLimit <= instance && instance <= highLimit)) {
    own.iAmResponse(header.sender, instance, Segmentation.NO_SEGMENTATION, VENDOR);
  }
});

own.on('readProperty', ({ header, invokeId, payload }) => {
  const [found, error] = lookUp(payload.objectId, payload.property);
  if (error) own.errorResponse(header.sender, Service.READ_PROPERTY, invokeId, ...error);
  else own.readPropertyResponse(header.sender, invokeId, payload.objectId, payload.property, found);
});

own.on('readPropertyMultiple', ({ header, invokeId, payload }) => {
  const answer = payload.properties.map(({ objectId, properties }) => ({
    objectId,
    values: properties.map((property) => {
      const [found, error] = lookUp(objectId, property);
      const refused = error && { value: { type: 'BacnetError', errorClass: error[0], errorCode: error[1] } };
      return { property, value: refused ? [refused] : found };
    }),
  }));
  own.readPropertyMultipleResponse(header.sender, invokeId, answer);
});

own.on('writeProperty', ({ header, invokeId, payload }) => {
  const { objectId, value: { property, value: [atom], priority } } = payload;
  const point = points.get(keyOf(objectId));
  const refuse = (...error) => own.errorResponse(header.sender, Service.WRITE_PROPERTY, invokeId, ...error);
  if (point === undefined) return refuse(ErrorClass.OBJECT, ErrorCode.UNKNOWN_OBJECT);
  if (!point.writable || property.id !== Property.PRESENT_VALUE) {
    return refuse(ErrorClass.PROPERTY, ErrorCode.WRITE_ACCESS_DENIED);
  }
  const frees = atom.type === Tag.NULL && point.commandable;
  if (!frees && atom.type !== point.tag) return refuse(ErrorClass.PROPERTY, ErrorCode.INVALID_DATA_TYPE);
  point.write(frees ? null : atom.value, priority);
  own.simpleAckResponse(header.sender, Service.WRITE_PROPERTY, invokeId);
  say('wrote', point.key, frees ? 'null' : atom.value, priority);
  return tell(point);
});

own.on('subscribeCov', ({ header, invokeId, payload }) => {
  const point = points.get(keyOf(payload.monitoredObjectId));
  if (point === undefined) {
    own.errorResponse(header.sender, Service.SUBSCRIBE_COV, invokeId, ErrorClass.OBJECT, ErrorCode.UNKNOWN_OBJECT);
    return;
  }
  const name = `${header.sender.address} ${payload.subscriberProcessId} ${point.key}`;
  own.simpleAckResponse(header.sender, Service.SUBSCRIBE_COV, invokeId);
  if (payload.cancellationRequest) {
    subscriptions.delete(name);
    say('cancelled', point.key, payload.subscriberProcessId);
    return;
  }
  const { issueConfirmedNotifications: confirmed, lifetime, subscriberProcessId } = payload;
  const receiver = { address: header.sender.address };
  subscriptions.set(name, { receiver, process: subscriberProcessId, object: point.key, confirmed, lifetime });
  say('subscribed', point.key, subscriberProcessId, confirmed, lifetime);
  tell(point);
});

own.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
own.on('listening', () => say('ready'));

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [verb, key, ...words] = line.split(' ');
  const point = points.get(key);
  const numbers = words.map((word) => (word === 'null' ? null : Number(word)));
  if (verb === 'set') [point.resting] = numbers;
  else if (verb === 'slot') point.slots[numbers[0] - 1] = numbers[1];
  say('heard', key);
  tell(point);
}).on('close', () => {
  own.close();
  process.exit(0);
});
