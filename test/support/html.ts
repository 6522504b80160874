/** Reads a page as a strict parser would, so that no name has become markup. */
import { createHash } from 'node:crypto';

const VOID = new Set(['meta', 'input', 'img', 'br']);
const RAW = new Set(['script', 'style']);

export interface Element {
  readonly tag: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Of the element itself, without that of inner ones; entities as they are written. */
  text: string;
}

/**
 * All elements in their order. Throws for a tag that is not closed, an attribute without quotes, a stray
 * `<` or `&`, an id that is there twice, or a label of nothing.
 */
export function elementsOf(page: string): Element[] {
  const elements: Element[] = [];
  const open: Element[] = [];
  const doctype = '<!DOCTYPE html>';
  if (!page.startsWith(doctype)) throw new Error('no doctype');
  let at = doctype.length;
  while (at < page.length) {
    const next = page.indexOf('<', at);
    const text = page.slice(at, next < 0 ? page.length : next);
    requireText(text, at);
    const parent = open.at(-1);
    if (parent) parent.text += text;
    else if (text.trim() !== '') throw new Error(`text outside of elements: ${text.slice(0, 80)}`);
    if (next < 0) break;
    at = readTag(page, next, open, elements);
  }
  if (open.length > 0) throw new Error(`not closed: ${open.map(({ tag }) => tag).join(' ')}`);
  const ids = elements.flatMap(({ attributes }) => attributes.get('id') ?? []);
  if (new Set(ids).size < ids.length) throw new Error('an id is there twice');
  for (const { tag, attributes } of elements) {
    const target = tag === 'label' ? attributes.get('for') : attributes.get('href')?.slice(1);
    if (target !== undefined && !ids.includes(target)) throw new Error(`nothing has the id ${target}`);
  }
  return elements;
}

function readTag(page: string, start: number, open: Element[], elements: Element[]): number {
  const end = /^<\/([a-z0-9]+)>/i.exec(page.slice(start, start + 40));
  if (end) {
    const last = open.pop();
    if (last?.tag !== end[1]) throw new Error(`</${end[1]}> closes <${last?.tag}> at ${start}`);
    return start + end[0].length;
  }
  const begin = /^<([a-z][a-z0-9]*)((?:\s+[a-zA-Z][a-zA-Z0-9-]*(?:="[^"<>]*")?)*)(\/?)>/.exec(
    page.slice(start),
  );
  if (!begin) throw new Error(`a stray <: ${page.slice(start, start + 80)}`);
  const [whole, tag, list, slash] = begin;
  const pairs = [...list.matchAll(/([a-zA-Z][a-zA-Z0-9-]*)(?:="([^"]*)")?/g)].map(
    ([, key, value = '']) => [key, value] as const,
  );
  for (const [, value] of pairs) requireText(value, start);
  const attributes = new Map(pairs);
  if (attributes.size < pairs.length) throw new Error(`an attribute is there twice: ${whole}`);
  if ([...attributes.keys()].some((key) => key.startsWith('on') || key === 'style')) {
    throw new Error(`the policy forbids ${whole}`);
  }
  const element: Element = { tag, attributes, text: '' };
  elements.push(element);
  const after = start + whole.length;
  if (slash || VOID.has(tag)) return after;
  if (!RAW.has(tag)) {
    open.push(element);
    return after;
  }
  const close = page.indexOf(`</${tag}`, after);
  element.text = page.slice(after, close);
  return close + tag.length + 3;
}

function requireText(text: string, at: number): void {
  const stray = /&(?!(?:amp|lt|gt|quot|#39);)|>/.exec(text);
  if (stray) throw new Error(`a stray ${stray[0]} near ${at}: ${text.slice(0, 80)}`);
}

/** Checks that a page makes no request and that its policy allows its own script and style, and no other. */
export function requireSelfContained(page: string): void {
  const elements = elementsOf(page);
  for (const { tag, attributes } of elements) {
    if (['link', 'iframe', 'object', 'embed', 'base', 'form'].includes(tag))
      throw new Error(`found <${tag}>`);
    const source = attributes.get('src');
    if (source !== undefined && !(tag === 'img' && source.startsWith('data:image/png;base64,'))) {
      throw new Error(`${tag} has the source ${source.slice(0, 80)}`);
    }
    const link = attributes.get('href');
    if (link !== undefined && !link.startsWith('#')) throw new Error(`a link to ${link}`);
  }
  const policy = elements.find(
    ({ attributes }) => attributes.get('http-equiv') === 'Content-Security-Policy',
  );
  const content = policy?.attributes.get('content')?.replaceAll('&#39;', "'") ?? '';
  const own = (tag: string) =>
    elements.filter((element) => element.tag === tag && !element.attributes.has('type'));
  for (const tag of ['script', 'style']) {
    const [element, ...others] = own(tag);
    if (!element || others.length > 0) throw new Error(`expected one <${tag}>`);
    const hash = createHash('sha256').update(element.text).digest('base64');
    if (!content.includes(`${tag}-src 'sha256-${hash}'`))
      throw new Error(`the policy lacks the hash of <${tag}>`);
  }
  if (!content.includes("default-src 'none'") || content.includes('unsafe')) throw new Error(content);
  if (/https?:\/\//.test(page)) throw new Error('the page names an address');
}
