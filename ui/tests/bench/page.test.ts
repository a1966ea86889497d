/** What the page costs a browser: frames that a crowd of boards drops, and the way from an event to a pixel. */
import { expect, inject, it } from 'vitest';
import { openAt } from '../support/login';
import { sit, withBrowser } from '../support/sitting';
import { Station } from '../support/station';

withBrowser();

/** For how long frames are counted, in milliseconds. */
const COUNTED = 10_000;

function figure(what: string, value: string, aim: string) {
  console.log(`  ${what.padEnd(56)} ${value.padStart(12)}   aim: ${aim}`);
}

it.each([
  ['100 boards, an update a second of each', '/?boards=100#/bench'],
  ['100 boards, ten updates a second of each', '/?boards=100&storm#/bench'],
])('%s', async (name, address) => {
  const origin = inject('madeUp');
  const sitting = await sit(origin);
  const { page } = sitting;
  await page.goto(origin + address);
  await page.locator('.uplot canvas').waitFor();
  const gaps = await page.evaluate(
    (counted) =>
      new Promise<number[]>((done) => {
        const times: number[] = [];
        const frame = (now: number) => {
          times.push(now);
          if (now - (times[0] ?? now) < counted) requestAnimationFrame(frame);
          else done(times.slice(1).map((time, at) => time - (times[at] ?? time)));
        };
        requestAnimationFrame(frame);
      }),
    COUNTED,
  );
  expect(gaps.length).toBeGreaterThan(1);
  // At 60 frames a second a gap of two frames or more has dropped one.
  const dropped = gaps.reduce((all, gap) => all + Math.max(0, Math.round(gap / (1000 / 60)) - 1), 0);
  const share = (100 * dropped) / (dropped + gaps.length);
  figure(`${name}: frames dropped`, `${share.toFixed(1)} %`, '0 %');
  figure(`${name}: longest frame`, `${Math.max(...gaps).toFixed(0)} ms`, '-');
  await sitting.end();
});

it('from a packet to a pixel', async () => {
  const station = await Station.serving();
  const { sitting, page } = await openAt(station, '#/bench');
  const painted = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity,
  );
  figure('from the address to the first paint', `${painted.toFixed(0)} ms`, 'under 1000 ms');
  const delays: number[] = [];
  for (let at = 0; at < 10; at += 1) {
    const mac = `2c:cf:67:00:00:0${at}`;
    const drawn = page.evaluate(
      (text) =>
        new Promise<number>((done) => {
          const look = () => {
            if (document.body.textContent?.includes(text)) done(Date.now());
            else requestAnimationFrame(look);
          };
          look();
        }),
      mac,
    );
    // Only then is the page looking for it.
    await page.evaluate(() => new Promise((next) => requestAnimationFrame(next)));
    const sent = Date.now();
    station.discovers(mac, 'a device');
    delays.push((await drawn) - sent);
  }
  delays.sort((a, b) => a - b);
  figure('from a packet to a pixel: median of 10', `${delays[5]} ms`, 'under 1000 ms');
  figure('from a packet to a pixel: slowest', `${delays[9]} ms`, 'under 1000 ms');
  await sitting.end();
  await station.end();
}, 120_000);
