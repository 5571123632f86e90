// Parses an AsyncAPI document, the files it refers to included, and prints what is wrong as JSON.
import { Parser, fromFile } from "@asyncapi/parser";

const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse();
const channels = document === undefined ? [] : document.channels().all();
console.log(JSON.stringify({
  version: document?.version(),
  addresses: channels.map((channel) => channel.address()),
  titles: Object.fromEntries(channels.map((channel) => [
    channel.address(), channel.messages().all()[0].payload()?.title(),
  ])),
  faults: diagnostics.filter((each) => each.code !== "asyncapi-latest-version"),
}));
