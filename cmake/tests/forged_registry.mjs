// node forged_registry.mjs <package-lock.json> <command>...
//
// Runs the command with a npm registry of our own, which promises the checksums of the lock but sends other bytes.
import {spawn} from "node:child_process";
import {readFileSync} from "node:fs";
import {createServer} from "node:http";

const [lockFile, command, ...args] = process.argv.slice(2);
const lock = JSON.parse(readFileSync(lockFile, "utf8"));

const server = createServer((request, response) => {
    if (request.url.endsWith(".tgz")) {
        response.end("not the package");
        return;
    }
    const name = decodeURIComponent(request.url.slice(1));
    const {version, integrity} = lock.packages[`node_modules/${name}`];
    const tarball = `http://${request.headers.host}/${name}-${version}.tgz`;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({
        name,
        "dist-tags": {latest: version},
        versions: {[version]: {name, version, dist: {tarball, integrity}}},
    }));
});

server.listen(0, "127.0.0.1", () => {
    const registry = `http://127.0.0.1:${server.address().port}/`;
    const child = spawn(command, args, {stdio: "inherit", env: {...process.env, npm_config_registry: registry}});
    child.on("close", (status) => process.exit(status ?? 1));
});
