import { describe, expect, it } from 'vitest';
import { html, json, name } from '../../../src/report/html/markup.js';

describe('a template of HTML', () => {
  it('escapes what is put into it', () => {
    const hostile = `</script><img src=x onerror="alert('&')">`;
    expect(html`<p title="${hostile}">${hostile}</p>`.text).toBe(
      '<p title="&lt;/script&gt;&lt;img src=x onerror=&quot;alert(&#39;&amp;&#39;)&quot;&gt;">&lt;/script&gt;&lt;img src=x onerror=&quot;alert(&#39;&amp;&#39;)&quot;&gt;</p>',
    );
  });

  it('takes markup, lists, numbers and nothing as they are', () => {
    expect(html`<ul>${[1, 2n].map((n) => html`<li>${n}</li>`)}${undefined}${false}</ul>`.text).toBe(
      '<ul><li>1</li><li>2</li></ul>',
    );
  });

  it('shows marks that turn the direction of text, and isolates names', () => {
    expect(name('a\u202egnp.exe').text).toBe('<bdi>a\\u202egnp.exe</bdi>');
    expect(name('שלום').text).toBe('<bdi>שלום</bdi>');
  });

  it('keeps the lines of a text', () => {
    expect(html`<pre>${'a\n\tb\u0007'}</pre>`.text).toBe('<pre>a\n\tb\\u0007</pre>');
  });
});

describe('JSON in a script element', () => {
  it('ends neither the element nor a line', () => {
    const value = { '</script>': '<!--\u2028\u2029' };
    const text = json(value).text;
    expect(text).toBe('{"\\u003c/script>":"\\u003c!--\\u2028\\u2029"}');
    expect(JSON.parse(text)).toEqual(value);
  });
});
