// The closest two are printed, the same question about another country first.
List<String> hits = new File(basedir, 'build.log').readLines('UTF-8').findAll { it ==~ /0\.\d{3} {2}\d: .*/ }
assert hits.size() == 2 && hits[0].endsWith('  1: 法国的英文名是什么？') && hits[1].contains('  2: ')
return true
