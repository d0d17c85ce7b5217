// Each schema three times: .bfbs with comments, .bfbs without, and its source; and the table of them that schemas.cpp reads. A new
// schema is one line below.
        .section .rodata
.macro embed label, file
        .balign 16
guildhall_\label:
        .incbin "\file"
guildhall_\label\()_end:
        .byte 0
.endm
.macro schema name
        embed \name\()_bfbs, \name\().bfbs
        embed \name\()_plain, plain/\name\().bfbs
        embed \name\()_fbs, \name\().fbs
guildhall_\name\()_name:
        .asciz "\name"
        .pushsection .data.rel.ro.guildhall_schemas,"aw",@progbits
        .quad guildhall_\name\()_name
        .quad guildhall_\name\()_bfbs, guildhall_\name\()_bfbs_end
        .quad guildhall_\name\()_plain, guildhall_\name\()_plain_end
        .quad guildhall_\name\()_fbs, guildhall_\name\()_fbs_end
        .popsection
.endm
        .pushsection .data.rel.ro.guildhall_schemas,"aw",@progbits
        .global guildhall_schema_table
        .balign 8
guildhall_schema_table:
        .popsection

        schema ids
        schema ledger
        schema account
        schema claim
        schema session
        schema schedule
        schema calendar
        schema booking
        schema payment
        schema subscription
        schema wallet
        schema payout
        schema product
        schema storefront
        schema purchase
        schema service
        schema order
        schema webinar
        schema registration
        schema review
        schema lesson
        schema achievement
        schema learner
        schema progress
        schema decision

        .pushsection .data.rel.ro.guildhall_schemas,"aw",@progbits
        .global guildhall_schema_table_end
guildhall_schema_table_end:
        .popsection
        .section .note.GNU-stack,"",@progbits
