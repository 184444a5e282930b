// Both questions were answered, the second one up to the stop string.
List<String> lines = new File(basedir, 'build.log').readLines('UTF-8')
assert lines.any { it.startsWith('[END_OF_GENERATION; ') }
assert lines.any { it.startsWith('{"name": "Myanmar"') && !it.contains('}') }
assert lines.any { it.startsWith('[STOP_STRING; ') && !it.contains(' 0 of them remembered') }
return true
