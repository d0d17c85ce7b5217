// The built-in platform policies.
        .section .rodata
        .global guildhall_platform_tutoring
        .global guildhall_platform_tutoring_end
guildhall_platform_tutoring:
        .incbin "tutoring.toml"
guildhall_platform_tutoring_end:
        .byte 0
        .section .note.GNU-stack,"",@progbits
