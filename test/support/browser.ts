/** A real browser for tests, if there is one. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** MLP_CHROMIUM, or the first of these names on the path. */
export const CHROMIUM = findChromium();

export const NO_CHROMIUM = `MLP_CHROMIUM, or one of ${NAMES.join(', ')} on the path`;

function findChromium(): string | undefined {
  const { MLP_CHROMIUM, PATH = '' } = process.env;
  if (MLP_CHROMIUM) return MLP_CHROMIUM;
  const places = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    ...(CHROMIUM && { executablePath: CHROMIUM }),
    // A container has no sandbox for its root.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}
