// Every prompt was answered once; what an earlier run had answered is as it was.
import groovy.json.JsonSlurper

JsonSlurper json = new JsonSlurper()
List<Map> answers = new File(basedir, 'target/answers.jsonl').readLines('UTF-8').collect { json.parseText(it) }
List<String> asked = new File(basedir, 'prompts.jsonl').readLines('UTF-8').collect { json.parseText(it).id }
Map<String, Map> byId = answers.collectEntries { [it.id, it] }
assert answers.size() == asked.size() && byId.keySet() == asked.toSet()
assert byId.france.text == 'as before'
assert byId.germany.text == 'Germany'
assert byId.short.finish_reason == 'MAX_TOKENS'
assert new File(basedir, 'build.log').getText('UTF-8').contains('1 answered before, 10 to go')
return true
