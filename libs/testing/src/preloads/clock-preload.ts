// For `node --import`: a wall clock that is wrong, for the whole program. Production code never reads this variable.
//
//   KINDRED_CLOCK_SKEW=3600000       an hour ahead
//   KINDRED_CLOCK_SKEW=-3600000      an hour behind
//   KINDRED_CLOCK_SKEW=strobe:250    a quarter of a second ahead, then behind, ten times a second
const text = process.env['KINDRED_CLOCK_SKEW'];

const STROBE_MS = 100;

function skewMs(nowMs: number): number {
  const [, strobe] = /^strobe:(\d+)$/.exec(text!) ?? [];
  if (strobe === undefined) return Number(text);
  return Math.floor(nowMs / STROBE_MS) % 2 === 0 ? Number(strobe) : -Number(strobe);
}

if (text !== undefined && text !== '') {
  const RealDate = Date;
  const now = (): number => {
    const realMs = RealDate.now();
    return realMs + skewMs(realMs);
  };
  const handler: ProxyHandler<DateConstructor> = {
    construct: (target, parameters, newTarget) =>
      Reflect.construct(target, parameters.length === 0 ? [now()] : parameters, newTarget as () => unknown) as object,
    get: (target, property, receiver) => (property === 'now' ? now : (Reflect.get(target, property, receiver) as unknown)),
  };
  globalThis.Date = new Proxy(RealDate, handler);
}
