import { expect, test } from 'vitest';
import { versionOf } from './version';

test.each([
  ['/home/me/kart-display-2026.11.img.xz', '2026.11'],
  ['/data/KXP2_v1.4.2.img', '1.4.2'],
  ['2025-11-24-raspios-trixie-arm64-lite.img.xz', '2025-11-24'],
  ['gate_v7.img.zst', '7'],
  ['golden-3.0-rc1.zip', '3.0-rc1'],
  ['golden.img', 'golden'],
  ['C:\\images\\kxp2.img', 'kxp2'],
  ['', ''],
])('%s is version %s', (path, version) => {
  expect(versionOf(path)).toBe(version);
});
